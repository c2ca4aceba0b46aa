import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import {
  MAX_PENDING,
  MAX_STRANGER_BYTES,
  STRANGER_ANSWER_MS,
  STRANGER_TIMEOUT_MS
} from '../../../node/network/limits.js'
import { HELLO_PROTOCOL, HELLO_TIMEOUT_MS } from '../../../protocols/hello/index.js'
import { PAIRING_PROTOCOL, type PairingPeer } from '../../../protocols/pairing/index.js'
import { type ManualClock, manualClock } from '../../manual-clock.js'
import { connectPeers, pairDirectly, stopPeers, type TestPeer, testPeer } from '../../peers.js'
import { isRefused, type RawConnection, type RawPeer, rawPeer } from '../../raw-peer.js'

const MESSAGING = '/test/messaging/1.0.0'

describe('strangers', () => {
  let clock: ManualClock
  let a: TestPeer
  let open: boolean
  let served: PairingPeer[]
  let handled: number
  let address: string
  const strangers: RawPeer[] = []
  const stranger = async (): Promise<RawPeer> => {
    const peer = await rawPeer()
    strangers.push(peer)
    return peer
  }
  const dial = async (): Promise<RawConnection> => (await stranger()).dial(address)
  /** Opens a pairing stream; resolves when our handler has it. */
  const ask = async (raw: RawConnection): Promise<PairingPeer> => {
    const before = served.length
    await raw.connection.newStream([PAIRING_PROTOCOL])
    while (served.length === before) await new Promise(resolve => setImmediate(resolve))
    return served.at(-1)!
  }

  beforeEach(async () => {
    clock = manualClock()
    open = true
    served = []
    handled = 0
    a = await testPeer({ name: 'ada', clock })
    a.network.setPairingGate({ isOpen: () => open })
    await a.network.pairing.handle(async (_stream, peer) => {
      served.push(peer)
      await new Promise(resolve => peer.signal.addEventListener('abort', resolve))
    })
    await a.network.handle(MESSAGING, async () => {
      handled++
    })
    address = a.network.status().listening[0]!
  })
  afterEach(async () => {
    await stopPeers([a])
    await Promise.all(strangers.splice(0).map(s => s.stop()))
  })

  it('without an open code are refused before Yamux', async () => {
    open = false
    const peer = await stranger()
    await peer.dial(address).then(
      c => c.closed,
      () => {}
    )
    assert.equal(served.length, 0)
    assert.deepEqual(a.network.status().connections, [])
  })

  it('with an open code get pairing and nothing else', async () => {
    const raw = await dial()
    assert.equal((await ask(raw)).device, strangers[0]!.id)
    assert.equal(await isRefused(raw.connection, HELLO_PROTOCOL), true)
    assert.equal(await isRefused(raw.connection, MESSAGING), true)
    assert.equal(await isRefused(raw.connection, PAIRING_PROTOCOL), true, 'one pairing stream a connection')
    assert.equal(handled, 0)
    assert.equal(a.network.session(strangers[0]!.id), undefined)
  })

  it('two from one address; of those the oldest without a valid request gives way', async () => {
    const first = await dial()
    const second = await dial()
    const third = await dial()
    await first.closed
    assert.equal(second.connection.status, 'open')
    assert.equal(third.connection.status, 'open')
  })

  it('a valid request does not give way, and with two of them a third is refused', async () => {
    for (let i = 0; i < 2; i++) (await ask(await dial())).progressed('request')
    const third = await stranger()
    await third.dial(address).then(
      c => c.closed,
      () => {}
    )
    assert.equal(
      served.every(p => !p.signal.aborted),
      true
    )
    assert.equal(third.muxed <= 1, true)
  })

  it('are cut when they have sent more than 64 KiB before a valid request', async () => {
    const raw = await dial()
    const ping = Buffer.alloc(12)
    ping.writeUInt8(2, 1)
    ping.writeUInt16BE(1, 2)
    const many = Buffer.concat(Array.from({ length: 512 }, () => ping))
    let sent = 0
    while (raw.connection.status === 'open' && sent < 2 * MAX_STRANGER_BYTES) {
      raw.sendRaw(many)
      sent += many.length
      await new Promise(resolve => setImmediate(resolve))
    }
    await raw.closed
  })

  it('and when a single frame claims more, though little of it has come', async () => {
    const raw = await dial()
    const header = Buffer.alloc(12)
    header.writeUInt32BE(1, 4)
    header.writeUInt32BE(0xffff_ffff, 8)
    raw.sendRaw(header)
    await raw.closed
  })

  it('are cut after 45 s without a verified response', async () => {
    const raw = await dial()
    const peer = await ask(raw)
    peer.progressed('request')
    await clock.advance(STRANGER_TIMEOUT_MS - 1)
    assert.equal(peer.signal.aborted, false)
    await clock.advance(1)
    await raw.closed
    assert.equal(peer.signal.aborted, true)
  })

  it('after a verified response a person has time to answer, but not for ever', async () => {
    const raw = await dial()
    const peer = await ask(raw)
    peer.progressed('request')
    peer.progressed('response')
    await clock.advance(STRANGER_ANSWER_MS - 1)
    assert.equal(peer.signal.aborted, false)
    await clock.advance(1)
    await raw.closed
  })

  it('a released stranger that was not saved is cut', async () => {
    await a.network.pairing.unhandle()
    await a.network.pairing.handle(async (_stream, peer) => {
      served.push(peer)
    })
    const raw = await dial()
    await ask(raw)
    await raw.closed
  })
})

describe('the reserved places of paired devices', () => {
  it('a paired device gets in while strangers hold every slot and silent connections pile up', async () => {
    const a = await testPeer({ name: 'ada' })
    const b = await testPeer({ name: 'bob' })
    await pairDirectly(a, b)
    a.network.setPairingGate({ isOpen: () => true })
    const listening = a.network.status().listening[0]!
    const strangers = await Promise.all([rawPeer(), rawPeer()])
    for (const s of strangers) await s.dial(listening)
    const port = Number(/tcp\/(\d+)/.exec(listening)![1])
    const sockets: Socket[] = []
    try {
      for (let i = 0; i < 200; i++) {
        const socket = connect({ host: '127.0.0.1', port })
        socket.on('error', () => {})
        sockets.push(socket)
      }
      await Promise.all(sockets.map(s => new Promise(resolve => s.once('connect', resolve).once('close', resolve))))
      // The flood comes from b's own address, which is not known yet: a dials b, whom nobody keeps out.
      await connectPeers(a, b)
      // Those that gave way are closed; the others are at most what may be pending.
      while (sockets.filter(s => !s.destroyed).length > MAX_PENDING) {
        await new Promise(resolve => setTimeout(resolve, 10))
      }
    } finally {
      for (const socket of sockets) socket.destroy()
      await Promise.all(strangers.map(s => s.stop()))
      await stopPeers([a, b])
    }
  })
})

describe('a paired device that breaks the rules', () => {
  let clock: ManualClock
  let a: TestPeer
  let b: TestPeer
  let hostile: RawPeer
  let raw: RawConnection
  let handled = 0
  beforeEach(async () => {
    clock = manualClock()
    handled = 0
    a = await testPeer({ name: 'ada', clock })
    b = await testPeer({ name: 'bob' })
    await pairDirectly(a, b)
    await b.network.stop()
    hostile = await rawPeer(b.identity.identity!.privateKey)
    await a.network.handle(MESSAGING, async () => {
      handled++
    })
    raw = await hostile.dial(a.network.status().listening[0]!)
  })
  afterEach(async () => {
    await hostile.stop()
    await stopPeers([a, b])
  })
  const shutOut = async (): Promise<void> => {
    const again = await hostile.dial(a.network.status().listening[0]!).then(
      c => c.closed,
      () => {}
    )
    assert.equal(again, undefined)
    assert.equal(a.network.session(b.id), undefined)
  }

  it('no hello within 5 s: cut; no handler has run before', async () => {
    const stream = await raw.connection.newStream([MESSAGING]) // answered, so our side has the connection
    await clock.advance(HELLO_TIMEOUT_MS - 1)
    assert.equal(raw.connection.status, 'open')
    await clock.advance(1)
    await raw.closed
    assert.notEqual(stream.status, 'open')
    assert.equal(handled, 0)
  })

  it('four connections of one device; with a fifth the oldest is cut', async () => {
    const more = await Promise.all(Array.from({ length: 4 }, () => rawPeer(b.identity.identity!.privateKey)))
    const address = a.network.status().listening[0]!
    const connections = [raw]
    for (const one of more) {
      assert.ok(connections.every(c => c.connection.status === 'open'))
      connections.push(await one.dial(address))
    }
    await raw.closed
    assert.ok(connections.slice(1).every(c => c.connection.status === 'open'))
    await Promise.all(more.map(one => one.stop()))
  })

  it('a frame that claims 3 GiB: cut at once, and shut out for a minute (B1)', async () => {
    const header = Buffer.alloc(12)
    header.writeUInt32BE(1, 4)
    header.writeUInt32BE(3 * 2 ** 30, 8)
    raw.sendRaw(header)
    await raw.closed
    await shutOut()
    await clock.advance(60_000)
    const back = await hostile.dial(a.network.status().listening[0]!)
    assert.equal(back.connection.status, 'open')
  })

  it('10,000 streams opened and reset: cut, and shut out (B2)', async () => {
    const parts: Buffer[] = []
    for (let i = 0; i < 10_000; i++) {
      for (const flags of [1, 8]) {
        const frame = Buffer.alloc(12)
        frame.writeUInt8(1, 1)
        frame.writeUInt16BE(flags, 2)
        frame.writeUInt32BE(1001 + 2 * i, 4)
        parts.push(frame)
      }
    }
    await raw.connection.newStream([MESSAGING]) // answered, so our side knows who it is
    raw.sendRaw(Buffer.concat(parts))
    await raw.closed
    await shutOut()
    assert.equal(handled, 0)
  })

  it('a hello stream with garbage: cut', async () => {
    const stream = await raw.connection.newStream([HELLO_PROTOCOL])
    stream.send(Buffer.concat([Buffer.from([0, 0, 0, 4]), Buffer.from([1, 2, 3, 4])]))
    while (raw.connection.status === 'open') {
      await new Promise(resolve => setTimeout(resolve, 5))
      await clock.advance(10)
    }
    await raw.closed
  })
})
