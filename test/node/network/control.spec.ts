import assert from 'node:assert/strict'
import type { Connection } from '@libp2p/interface'
import { z } from 'zod'
import { MAX_UNANSWERED_PINGS, PING_INTERVAL_MS } from '../../../node/network/limits.js'
import { findMeter } from '../../../node/network/meter.js'
import { HELLO_PROTOCOL, type HelloResult, sayHello } from '../../../protocols/hello/index.js'
import { CONTROL_MESSAGE_BURST, decode, encode } from '../../../protocols/wire/index.js'
import { systemClock, systemRandom } from '../../../storage/base/index.js'
import { cable } from '../../cable.js'
import { type ManualClock, manualClock } from '../../manual-clock.js'
import { nextEvent, pairDirectly, stopPeers, type TestPeer, testPeer } from '../../peers.js'
import { type RawConnection, type RawPeer, rawPeer } from '../../raw-peer.js'

const typed = z.object({ t: z.string(), id: z.number().optional(), type: z.string().optional() })

/** A device that said hello, and from there on does as the test says. */
describe('the control channel', () => {
  let clock: ManualClock
  let a: TestPeer
  let b: TestPeer
  let raw: RawPeer
  let connection: RawConnection
  let hello: HelloResult
  beforeEach(async () => {
    clock = manualClock()
    a = await testPeer({ name: 'ada', clock })
    b = await testPeer({ name: 'bob' })
    await pairDirectly(a, b)
    await b.network.stop()
    raw = await rawPeer(b.identity.identity!.privateKey)
    connection = await raw.dial(a.network.status().listening[0]!)
    const connected = nextEvent(a, 'device:connected')
    hello = await sayHello({
      stream: await connection.connection.newStream([HELLO_PROTOCOL]),
      local: b.id,
      remote: a.id,
      secrets: b.devices.secretsOf(a.id),
      random: systemRandom,
      info: () => ({
        name: 'bob',
        os: '',
        model: '',
        version: '1',
        capabilities: [],
        wallMs: clock.nowMs() + 60_000,
        starts: 1,
        run: new Uint8Array(16),
        addresses: []
      }),
      admit: async () => {}
    })
    await connected
  })
  afterEach(async () => {
    await raw.stop()
    await stopPeers([a, b])
  })
  const send = (message: unknown): Promise<void> => hello.frames.write(encode(message))
  const next = async (fits: (t: string) => boolean): Promise<z.infer<typeof typed>> => {
    for (;;) {
      const message = decode((await hello.frames.read())!, typed, 'a control message')
      if (fits(message.t)) return message
    }
  }

  it('the session knows how far the clocks are apart', () => {
    assert.equal(a.network.session(b.id)!.clockOffsetMs, 60_000)
  })

  it('a ping is answered by its id, an unknown message by `unknown`, and that not at all', async () => {
    await send({ t: 'unknown', type: 'x' })
    await send({ t: 'dance', with: 'me' })
    assert.deepEqual(await next(t => t === 'unknown'), { t: 'unknown', type: 'dance' })
    await send({ t: 'ping', id: 77 })
    assert.deepEqual(await next(t => t === 'pong'), { t: 'pong', id: 77 })
  })

  it('a flood of control messages ends it', async () => {
    const gone = nextEvent(a, 'device:disconnected')
    for (let n = 0; n <= CONTROL_MESSAGE_BURST + 1; n++) await send({ t: 'ping', id: n }).catch(() => {})
    assert.match((await gone).reason, /too many/)
    await connection.closed
  })

  it('garbage ends it', async () => {
    const gone = nextEvent(a, 'device:disconnected')
    await hello.frames.write(new Uint8Array([0xc1]))
    await gone
  })

  it('so does closing the channel', async () => {
    const gone = nextEvent(a, 'device:disconnected')
    await hello.frames.closeWrite()
    assert.match((await gone).reason, /closed the connection/)
  })
})

describe('a connection that died in silence', () => {
  it('three intervals without a byte end it', async () => {
    const clock = manualClock()
    const a = await testPeer({ name: 'ada', clock })
    const b = await testPeer({ name: 'bob' })
    await pairDirectly(a, b)
    const line = await cable(Number(/tcp\/(\d+)/.exec(b.network.status().listening[0]!)![1]))
    try {
      const connected = Promise.all([a.network.whenConnected(b.id), b.network.whenConnected(a.id)])
      a.network.hint(b.id, [`/ip4/127.0.0.1/tcp/${line.port}`])
      const [session] = await connected
      const meter = findMeter((session as unknown as { connection: Connection }).connection)!
      for (let n = 0; n < 5; n++) {
        const { receivedBytes } = meter
        await clock.advance(PING_INTERVAL_MS)
        // The answer takes its way through real sockets.
        while (meter.receivedBytes === receivedBytes && !session.signal.aborted) await systemClock.sleep(5)
      }
      assert.equal(session.signal.aborted, false, 'a quiet connection lives')
      line.freeze()
      const gone = nextEvent(a, 'device:disconnected')
      for (let n = 0; n <= MAX_UNANSWERED_PINGS + 1; n++) await clock.advance(PING_INTERVAL_MS)
      assert.match((await gone).reason, /does not answer/)
    } finally {
      line.close()
      await stopPeers([a, b])
    }
  })
})
