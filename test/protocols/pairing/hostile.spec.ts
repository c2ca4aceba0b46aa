import assert from 'node:assert/strict'
import type { Libp2p, Stream } from '@libp2p/interface'
import { makeAdvertisement } from '../../../protocols/pairing/advertisement.js'
import { PAIRING_PROTOCOL } from '../../../protocols/pairing/index.js'
import { initiator, stepInitiator } from '../../../protocols/pairing/initiator.js'
import { joiner } from '../../../protocols/pairing/joiner.js'
import { lanServiceName } from '../../../protocols/pairing/lan-tag.js'
import { encodeMessage, FAILED, type PairingRequest, parseMessage } from '../../../protocols/pairing/messages.js'
import { encode, frameStream } from '../../../protocols/wire/index.js'
import { type DeviceId, hasCode, systemRandom } from '../../../storage/base/index.js'
import { fixed, sent } from './handshake.js'
import { answer, halfOf, joinUntil, keysOf, open } from './raw.js'
import { addressOf, node, type Peer, type PeerOptions, peer, world } from './world.js'

const WRONG = 'legal winner thank year wave sausage worth useful legal winner thank yellow'

describe('pairing against hostile peers', () => {
  const peers: Peer[] = []
  const nodes: Libp2p[] = []
  const make = async (seed: number, name: string, options?: PeerOptions): Promise<Peer> => {
    const made = await peer(seed, name, options)
    peers.push(made)
    return made
  }
  const bare = async (seed: number): Promise<Libp2p> => {
    const made = await node(seed)
    nodes.push(made)
    return made
  }
  afterEach(async () => {
    for (const p of peers.splice(0)) await p.stop()
    for (const n of nodes.splice(0)) await n.stop()
  })
  const to = (p: Peer): { addresses: string[] } => ({ addresses: [addressOf(p.libp2p)] })
  const state = (p: Peer): string | undefined => p.service.status()[0]?.state
  const confirming = (p: Peer): Promise<unknown> =>
    p.event('pairing:progressed', (e: { state: string }) => e.state === 'confirming')

  it('A20: whatever fails gets the same bytes after the same delay', async () => {
    const desk = await make(1, 'desk')
    const mallory = await bare(66)
    const delays: number[] = []
    // What an answer takes to make counts towards its delay: here it takes no time, on a busy machine too.
    desk.clock.monotonicMs = () => 0
    const { sleep } = desk.clock
    desk.clock.sleep = (ms, options) => {
      if (ms <= 300) delays.push(ms)
      return ms <= 300 ? Promise.resolve() : sleep(ms, options)
    }
    const used = await desk.service.open()
    desk.service.cancel(used.session)
    const code = await desk.service.open()
    const half = halfOf(mallory, 66, desk.libp2p)
    const right = parseMessage(sent(joiner(half, keysOf(code.words)).effects)) as PairingRequest
    const attempts: Record<string, Uint8Array> = {
      'unknown session': sent(joiner(half, keysOf(WRONG)).effects),
      'known session, wrong MAC': encodeMessage({ ...right, mac: fixed(1) }),
      'known session, MAC off by one bit': encodeMessage({
        ...right,
        mac: right.mac.map((b, i) => (i === 31 ? b ^ 1 : b))
      }),
      'a code that was cancelled': sent(joiner(half, keysOf(used.words)).effects),
      'no MessagePack': fixed(0xc1, 40),
      'another version': encode({ ...right, v: 2 }),
      'Complete first (A13)': encodeMessage({ type: 'complete', ok: true, sid: right.sid, mac: fixed(1) }),
      'an empty frame': new Uint8Array(0),
      'by now too many failures': sent(joiner(half, keysOf(WRONG)).effects)
    }
    for (const [what, frame] of Object.entries(attempts)) {
      const raw = await open(mallory, desk.libp2p)
      await raw.frames.write(frame)
      assert.deepEqual(await answer(raw), FAILED, what)
      raw.connection.abort(new Error('done'))
    }
    assert.equal(delays.length, Object.keys(attempts).length)
    assert.ok(
      delays.every(ms => ms === 300),
      delays.join()
    )
    assert.ok(desk.service.isOpen())
    assert.equal(desk.service.status().length, 2, 'H7: a request makes no entry')
  })

  it('A8: five failures make that source wait; the right words from elsewhere are taken at once', async () => {
    const lap = await make(2, 'lap')
    const source = (device: string): string =>
      device === lap.device ? '/ip4/203.0.113.7/tcp/1' : '/ip6/2a01:4f8:1:2::9/tcp/1'
    const desk = await make(1, 'desk', { source })
    const mallory = await bare(66)
    const code = await desk.service.open({ autoAccept: true })
    desk.clock.sleep = (_ms, _options) => Promise.resolve()
    for (let i = 0; i < 5; i++) {
      const raw = await open(mallory, desk.libp2p)
      await raw.frames.write(fixed(1, 10))
      assert.deepEqual(await answer(raw), FAILED)
      raw.connection.abort(new Error('done'))
    }
    // Now even the right words of that source are refused, unread ...
    const refused = await joinUntil('challenge', mallory, 66, desk.libp2p, code.words)
    refused.connection.abort(new Error('done'))
    assert.equal(state(desk), 'open')
    assert.deepEqual(desk.network.stages, [])
    // ... while another source pairs.
    const { outcome } = lap.service.join(code.words, to(desk))
    assert.equal((await outcome).device, desk.device)
  })

  it('A8: twenty failures in all tell the user, and burn nothing', async () => {
    let n = 0
    const desk = await make(1, 'desk', { source: () => `/ip4/203.0.113.${n}/tcp/1` })
    const mallory = await bare(66)
    await desk.service.open()
    desk.clock.sleep = (_ms, _options) => Promise.resolve()
    for (n = 0; n < 20; n++) {
      assert.equal(desk.events.filter(e => e.type === 'pairing:warned').length, 0)
      const raw = await open(mallory, desk.libp2p)
      await raw.frames.write(fixed(1, 10))
      await answer(raw)
      raw.connection.abort(new Error('done'))
    }
    const warned = await desk.event('pairing:warned')
    assert.equal(warned.code, 'MANY_ATTEMPTS')
    assert.ok(desk.service.isOpen())
  })

  it('A6: two joiners with the right words at the same time: one is paired, the other refused, the person warned', async () => {
    const desk = await make(1, 'desk')
    const lap = await make(2, 'lap')
    const thief = await make(3, 'thief')
    const code = await desk.service.open()
    const tries = [lap, thief].map(p => p.service.join(code.words, to(desk)).outcome)
    await confirming(desk)
    const warned = await desk.event('pairing:warned')
    assert.equal(warned.code, 'CODE_USED')
    desk.service.confirm(undefined, true)
    const ends = await Promise.allSettled(tries)
    assert.equal(ends.filter(e => e.status === 'fulfilled').length, 1)
    const loser = ends.find(e => e.status === 'rejected') as PromiseRejectedResult
    assert.ok(hasCode(loser.reason, 'PAIRING_REFUSED'))
    assert.equal(desk.saved.length, 1)
    assert.equal(lap.saved.length + thief.saved.length, 1)
  })

  it('A6: used before: refused, and who shows it is told that the words were typed again', async () => {
    const desk = await make(1, 'desk')
    const lap = await make(2, 'lap')
    const late = await make(3, 'late')
    const code = await desk.service.open({ autoAccept: true })
    await lap.service.join(code.words, to(desk)).outcome
    await assert.rejects(late.service.join(code.words, to(desk)).outcome, { code: 'PAIRING_REFUSED' })
    assert.equal((await desk.event('pairing:warned')).code, 'CODE_USED')
    assert.equal(desk.saved.length, 1)
  })

  it('A3: a relay between two connections fails on both sides, without the words and with them', async () => {
    const desk = await make(1, 'desk')
    const lap = await make(2, 'lap')
    const relay = await bare(77)
    await relay.handle(PAIRING_PROTOCOL, async (stream: Stream) => {
      const left = frameStream(stream, { maxFrameBytes: 4_096 })
      const right = await open(relay, desk.libp2p)
      const pump = async (a: typeof left, b: typeof left): Promise<void> => {
        for (let f = await a.read(); f !== undefined; f = await a.read()) await b.write(f)
        await b.closeWrite()
      }
      await Promise.allSettled([pump(left, right.frames), pump(right.frames, left)])
    })
    const code = await desk.service.open()
    const { outcome } = lap.service.join(code.words, { addresses: [addressOf(relay)] })
    await assert.rejects(outcome, { code: 'PAIRING_REFUSED' })
    assert.equal(state(desk), 'open')
    assert.deepEqual([desk.saved, lap.saved], [[], []])
  })

  it('A4: a recorded request replayed from elsewhere, and by the same device later', async () => {
    const desk = await make(1, 'desk')
    const lap = await bare(2)
    const mallory = await bare(66)
    const code = await desk.service.open()
    const recorded = sent(joiner(halfOf(lap, 2, desk.libp2p), keysOf(code.words)).effects)
    const elsewhere = await open(mallory, desk.libp2p)
    await elsewhere.frames.write(recorded)
    assert.deepEqual(await answer(elsewhere), FAILED)
    const again = await open(lap, desk.libp2p)
    await again.frames.write(recorded)
    assert.equal(parseMessage((await answer(again))!).type, 'challenge')
    await again.frames.write(recorded)
    assert.deepEqual(await answer(again), FAILED)
    assert.ok(!desk.service.isOpen(), 'who had the words and then failed has burned the code')
  })

  it('a Response that fails burns the code and says so', async () => {
    const desk = await make(1, 'desk')
    const lap = await make(2, 'lap')
    const mallory = await bare(66)
    const code = await desk.service.open()
    const raw = await joinUntil('challenge', mallory, 66, desk.libp2p, code.words)
    await raw.frames.write(fixed(1, 100))
    assert.deepEqual(await answer(raw), FAILED)
    await assert.rejects(code.outcome, { code: 'RESPONSE_INVALID' })
    await assert.rejects(lap.service.join(code.words, to(desk)).outcome, { code: 'PAIRING_REFUSED' })
    assert.deepEqual(desk.saved, [])
  })

  describe('the joiner is killed', () => {
    for (const step of ['request', 'challenge'] as const) {
      it(`after ${step}: the code is still good`, async () => {
        const desk = await make(1, 'desk')
        const lap = await make(2, 'lap')
        const dying = await bare(66)
        const code = await desk.service.open({ autoAccept: true })
        const raw = await joinUntil(step, dying, 66, desk.libp2p, code.words)
        await desk.event('pairing:progressed', (e: { state: string }) => e.state === 'handshake')
        raw.connection.abort(new Error('killed'))
        await desk.event('pairing:progressed', (e: { state: string }) => e.state === 'open')
        assert.ok(desk.service.isOpen())
        await lap.service.join(code.words, to(desk)).outcome
      })
    }
    it('A22: after Response: the code is burned, another PeerId gets nowhere with it', async () => {
      const desk = await make(1, 'desk')
      const other = await make(3, 'other')
      const dying = await bare(66)
      const code = await desk.service.open()
      const raw = await joinUntil('response', dying, 66, desk.libp2p, code.words)
      await confirming(desk)
      raw.connection.abort(new Error('killed'))
      await assert.rejects(code.outcome, { code: 'PAIRING_INTERRUPTED' })
      await assert.rejects(other.service.join(code.words, to(desk)).outcome, { code: 'PAIRING_REFUSED' })
      assert.deepEqual(desk.saved, [])
    })
    it('A15: before its last Complete: here it is saved, unconfirmed; the hello decides', async () => {
      const desk = await make(1, 'desk')
      const dying = await bare(66)
      const code = await desk.service.open({ autoAccept: true })
      const raw = await joinUntil('complete', dying, 66, desk.libp2p, code.words)
      raw.connection.abort(new Error('killed'))
      await code.outcome
      assert.equal(desk.saved[0]?.unconfirmed, true)
    })
  })

  it('A2, A14: a rogue initiator with the words that then sends a wrong Complete: nothing is saved', async () => {
    const lap = await make(2, 'lap')
    const rogue = await bare(66)
    const keys = keysOf(WRONG)
    await rogue.handle(PAIRING_PROTOCOL, async (stream: Stream, connection) => {
      const frames = frameStream(stream, { maxFrameBytes: 4_096 })
      const half = { ...halfOf(rogue, 66, rogue), remotePublicKey: connection.remotePeer.publicKey!.raw }
      const asked = stepInitiator(initiator(half), { kind: 'frame', raw: (await frames.read())!, codes: [keys] })
      const challenged = stepInitiator(asked.state, { kind: 'turn', open: true })
      await frames.write(sent(challenged.effects))
      await frames.read()
      await frames.write(encodeMessage({ type: 'complete', ok: true, sid: keys.sessionId, mac: fixed(1) }))
      await frames.read().catch(() => {})
    })
    const { outcome } = lap.service.join(WRONG, { addresses: [addressOf(rogue)] })
    await assert.rejects(outcome, { code: 'PAIRING_INTERRUPTED' })
    assert.deepEqual(lap.saved, [])
  })

  it('A15: I never hear the answer of the other side: nothing is saved here', async () => {
    const lap = await make(2, 'lap')
    const dying = await bare(66)
    const keys = keysOf(WRONG)
    await dying.handle(PAIRING_PROTOCOL, async (stream: Stream, connection) => {
      const frames = frameStream(stream, { maxFrameBytes: 4_096 })
      const half = { ...halfOf(dying, 66, dying), remotePublicKey: connection.remotePeer.publicKey!.raw }
      const asked = stepInitiator(initiator(half), { kind: 'frame', raw: (await frames.read())!, codes: [keys] })
      await frames.write(sent(stepInitiator(asked.state, { kind: 'turn', open: true }).effects))
      await frames.read()
      connection.abort(new Error('killed'))
    })
    const { outcome } = lap.service.join(WRONG, { addresses: [addressOf(dying)] })
    await assert.rejects(outcome, { code: 'PAIRING_INTERRUPTED' })
    assert.deepEqual(lap.saved, [])
  })

  it('E1: many who answer under the name of the code and hang do not keep the real one from being found', async () => {
    const w = world()
    const desk = await make(1, 'desk', { world: w, ways: ['lan'] })
    const lap = await make(2, 'lap', { world: w, ways: ['lan'] })
    const rogue = await bare(66)
    let hanging = 0
    await rogue.handle(PAIRING_PROTOCOL, async () => {
      hanging += 1
      await new Promise(() => {})
    })
    const code = await desk.service.open({ autoAccept: true })
    const tag = lanServiceName(keysOf(code.words))
    const real = [...w.lan.get(tag)!]
    const spoofed = Array.from({ length: 8 }, (_, i) => ({
      addresses: [addressOf(rogue), `/ip4/127.0.0.1/tcp/${i + 1}`]
    }))
    w.lan.set(tag, new Set([...spoofed, ...real]))
    const { outcome } = lap.service.join(code.words)
    assert.equal((await outcome).device, desk.device)
    assert.ok(hanging >= 1)
  })

  it('E4: of several values in the DHT the newest counts; foreign ones are passed over', async () => {
    const w = world()
    const desk = await make(1, 'desk', { world: w })
    const lap = await make(2, 'lap', { world: w, ways: ['dht'] })
    const code = await desk.service.open({ autoAccept: true })
    const keys = keysOf(code.words)
    const value = (seq: number, address: string, device = desk.device): Uint8Array =>
      makeAdvertisement(keys, {
        device,
        addresses: [address],
        seq,
        notAfterMs: code.expiresAt,
        nonce: systemRandom.bytes(12)
      })
    const values = [value(2, '/ip4/10.0.0.2/tcp/2'), value(1, '/ip4/10.0.0.1/tcp/1'), fixed(1, 200), fixed(1, 5_000)]
    lap.network.lookup = async function* () {
      yield* values
    }
    const dialled: string[] = []
    const { dial } = lap.network
    lap.network.dial = (candidate, options) => {
      dialled.push(...candidate.addresses)
      return dial({ ...candidate, addresses: to(desk).addresses }, options)
    }
    assert.equal((await lap.service.join(code.words).outcome).device, desk.device)
    // It looks again every few seconds until it is through.
    assert.deepEqual([...new Set(dialled)], ['/ip4/10.0.0.2/tcp/2'])
  })

  it('A16: our own address, and our own PeerId in a link', async () => {
    const desk = await make(1, 'desk')
    const { outcome } = desk.service.join(WRONG, to(desk))
    await assert.rejects(outcome, { code: 'PAIRING_NOT_FOUND' })
    const own = { addresses: [`${addressOf(desk.libp2p)}/p2p/${desk.device satisfies DeviceId}`] }
    await assert.rejects(desk.service.join(WRONG, own).outcome, { code: 'PAIRING_NOT_FOUND' })
  })

  it('says nothing for 45 seconds: let go; a handshake that stops: after 30 seconds', async () => {
    const desk = await make(1, 'desk')
    const mallory = await bare(66)
    const code = await desk.service.open()
    const silent = await open(mallory, desk.libp2p)
    const stalled = await joinUntil('challenge', mallory, 66, desk.libp2p, code.words)
    assert.equal(state(desk), 'handshake')
    desk.clock.jump(30_000)
    await desk.event('pairing:progressed', (e: { state: string }) => e.state === 'open')
    assert.deepEqual(await answer(stalled), FAILED)
    desk.clock.jump(15_000)
    assert.deepEqual(await answer(silent), FAILED)
    assert.ok(desk.service.isOpen())
  })

  it('frames beyond 4 KiB and floods end the stream, and nothing else', async () => {
    const desk = await make(1, 'desk')
    const lap = await make(2, 'lap')
    const mallory = await bare(66)
    const code = await desk.service.open({ autoAccept: true })
    const large = await open(mallory, desk.libp2p)
    large.stream.send(new Uint8Array([0xff, 0xff, 0xff, 0xff, 1, 2, 3]))
    assert.equal(await answer(large), undefined)
    const flood = await open(mallory, desk.libp2p)
    for (let i = 0; i < 10; i++) void flood.frames.write(fixed(1, 4_000)).catch(() => {})
    await answer(flood)
    await lap.service.join(code.words, to(desk)).outcome
  })
})
