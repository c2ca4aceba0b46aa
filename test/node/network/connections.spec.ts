import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import type { Stream } from '@libp2p/interface'
import {
  MAX_CONNECTIONS,
  MAX_CONNECTIONS_PER_DEVICE,
  MAX_PROTOCOL_STREAMS,
  UPGRADE_TIMEOUT_MS
} from '../../../node/network/limits.js'
import { manualClock } from '../../manual-clock.js'
import { stopPeers, type TestPeer, testPeer, testPeers } from '../../peers.js'
import { type RawConnection, type RawPeer, rawPeer } from '../../raw-peer.js'

const HOLD = '/test/hold/1.0.0'

describe('how many at once', () => {
  it(`${MAX_CONNECTIONS} connections, one more is refused, and a place comes free again`, async () => {
    const a = await testPeer({ name: 'ada', clock: manualClock() }) // nobody is late with a hello
    const address = a.network.status().listening[0]!
    const others: RawPeer[] = []
    const open: RawConnection[] = []
    const device = async (): Promise<RawPeer> => {
      const other = await rawPeer()
      others.push(other)
      const pair = {
        device: other.id,
        name: 'one of many',
        os: 'linux',
        model: '',
        pairRoot: randomBytes(32),
        epoch: 1
      }
      await a.devices.paired.savePaired({ ...pair, unconfirmed: true, keepGrants: true })
      return other
    }
    try {
      const first = await device()
      await a.devices.saveAddresses(first.id, [address], true) // a source that is known has no rate
      for (let n = 0; n < MAX_CONNECTIONS; n += MAX_CONNECTIONS_PER_DEVICE) {
        const other = n === 0 ? first : await device()
        for (let i = 0; i < MAX_CONNECTIONS_PER_DEVICE; i++) open.push(await other.dial(address))
      }
      const last = await device()
      await last.dial(address).then(
        c => c.closed,
        () => {}
      )
      assert.equal(open.filter(c => c.connection.status === 'open').length, MAX_CONNECTIONS)
      open[0]!.connection.abort(new Error('enough'))
      for (;;) {
        const raw = await last.dial(address).catch(() => undefined)
        if (raw?.connection.status === 'open') break
      }
    } finally {
      await stopPeers([a])
      await Promise.all(others.map(o => o.stop()))
    }
  })

  describe('streams of one protocol', () => {
    let a: TestPeer
    let b: TestPeer
    before(async () => {
      ;[a, b] = (await testPeers(2)) as [TestPeer, TestPeer]
    })
    after(() => stopPeers([a, b]))

    it(`${MAX_PROTOCOL_STREAMS} of a device, one more is reset, and a place comes free again`, async () => {
      let held = 0
      let told = (): void => {}
      await b.network.handle(HOLD, async stream => {
        held++
        told()
        await new Promise<void>(resolve => stream.addEventListener('close', () => resolve()))
        held--
        told()
      })
      const until = (count: number): Promise<void> =>
        new Promise(resolve => {
          told = () => {
            if (held === count) resolve()
          }
          told()
        })
      const taken: Stream[] = []
      for (let i = 0; i < MAX_PROTOCOL_STREAMS; i++) taken.push((await a.network.open(b.id, HOLD)).stream)
      await until(MAX_PROTOCOL_STREAMS)
      const { stream } = await a.network.open(b.id, HOLD)
      if (stream.status === 'open')
        await new Promise<void>(resolve => stream.addEventListener('close', () => resolve()))
      assert.equal(stream.status, 'reset')
      assert.equal(held, MAX_PROTOCOL_STREAMS)
      taken[0]!.abort(new Error('enough'))
      await until(MAX_PROTOCOL_STREAMS - 1)
      await a.network.open(b.id, HOLD)
      await until(MAX_PROTOCOL_STREAMS)
    })
  })

  it('a connection that does not say who it is in time is cut', async () => {
    assert.equal(UPGRADE_TIMEOUT_MS, 5_000)
    const a = await testPeer({ name: 'ada', upgradeTimeoutMs: 50 })
    const [, host, port] = /\/ip4\/([\d.]+)\/tcp\/(\d+)/.exec(a.network.status().listening[0]!)!
    const socket = connect({ host: host!, port: Number(port) })
    socket.on('error', () => {})
    try {
      await new Promise<void>(resolve => socket.once('close', () => resolve()))
    } finally {
      socket.destroy()
      await stopPeers([a])
    }
  })
})
