import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import { hasCode, type Random, systemRandom } from '../../../storage/base/index.js'
import { fixed } from './handshake.js'
import { addressOf, type Peer, type PeerOptions, peer, world } from './world.js'

describe('pairing service', () => {
  const peers: Peer[] = []
  const make = async (seed: number, name: string, options?: PeerOptions): Promise<Peer> => {
    const made = await peer(seed, name, options)
    peers.push(made)
    return made
  }
  afterEach(async () => {
    for (const p of peers.splice(0)) await p.stop()
  })
  const to = (p: Peer): { addresses: string[] } => ({ addresses: [addressOf(p.libp2p)] })

  it('two devices pair by an address: same secret, same four words, the person asked', async () => {
    const desk = await make(1, 'desk')
    const lap = await make(2, 'lap')
    const code = await desk.service.open()
    assert.ok(desk.service.isOpen())
    const joining = lap.service.join(code.words, to(desk))
    const asked = await desk.event('pairing:progressed', (e: { state: string }) => e.state === 'confirming')
    const shown = await lap.event('pairing:progressed', (e: { state: string }) => e.state === 'waiting')
    assert.equal(asked.words, shown.words)
    assert.equal(asked.words?.split(' ').length, 4)
    assert.equal(asked.device, lap.device)
    assert.equal(asked.name, 'lap')
    assert.equal(shown.name, 'desk')
    assert.ok(!desk.service.isOpen(), 'the code is burned before the person answers')
    assert.equal(desk.saved.length, 0)
    desk.service.confirm(undefined, true)
    const [ofDesk, ofLap] = await Promise.all([code.outcome, joining.outcome])
    assert.equal(ofDesk.device, lap.device)
    assert.equal(ofLap.device, desk.device)
    assert.deepEqual(desk.saved[0]?.pairRoot, lap.saved[0]?.pairRoot)
    assert.equal(desk.saved[0]?.epoch, 1)
    assert.deepEqual(desk.network.stages, ['request', 'response'])
    assert.equal(desk.service.status()[0]?.state, 'paired')
  })

  it('--auto-accept asks nobody', async () => {
    const desk = await make(1, 'desk')
    const lap = await make(2, 'lap')
    const code = await desk.service.open({ autoAccept: true })
    const { outcome } = lap.service.join(code.words, to(desk))
    await Promise.all([code.outcome, outcome])
    assert.equal(desk.saved.length, 1)
  })

  for (const way of ['lan', 'dht'] as const) {
    it(`finds the other device by ${way} alone`, async () => {
      const w = world()
      const desk = await make(1, 'desk', { world: w, ways: [way] })
      const lap = await make(2, 'lap', { world: w, ways: [way] })
      const code = await desk.service.open({ autoAccept: true })
      if (way === 'dht') {
        // On loopback an advertisement holds no address that may be dialled: the test hands the dial its own.
        const { dial } = lap.network
        lap.network.dial = (c, o) => dial({ ...c, addresses: to(desk).addresses }, o)
      }
      const { outcome } = lap.service.join(code.words)
      assert.equal((await outcome).device, desk.device)
    })
  }

  it('by the text of the QR code, which names the device', async () => {
    const desk = await make(1, 'desk')
    const lap = await make(2, 'lap')
    const rogue = await make(3, 'rogue')
    const code = await desk.service.open({ autoAccept: true })
    await assert.rejects(lap.service.join(code.link, to(rogue)).outcome, { code: 'PAIRING_NOT_FOUND' })
    const { outcome } = lap.service.join(code.link, to(desk))
    assert.equal((await outcome).device, desk.device)
  })

  it('no: nothing is saved on either side, and the code is used up', async () => {
    const desk = await make(1, 'desk')
    const lap = await make(2, 'lap')
    const code = await desk.service.open()
    const { outcome } = lap.service.join(code.words, to(desk))
    await desk.event('pairing:progressed', (e: { state: string }) => e.state === 'confirming')
    desk.service.confirm(code.session, false)
    await assert.rejects(outcome, { code: 'PAIRING_DECLINED' })
    await assert.rejects(code.outcome, { code: 'PAIRING_DECLINED' })
    await assert.rejects(lap.service.join(code.words, to(desk)).outcome, { code: 'PAIRING_REFUSED' })
    assert.deepEqual([desk.saved, lap.saved], [[], []])
  })

  it('nobody answers for 150 seconds: that is a no', async () => {
    const desk = await make(1, 'desk')
    const lap = await make(2, 'lap')
    const code = await desk.service.open()
    const { outcome } = lap.service.join(code.words, to(desk))
    await desk.event('pairing:progressed', (e: { state: string }) => e.state === 'confirming')
    desk.clock.jump(149_000)
    assert.equal(desk.service.status()[0]?.state, 'confirming')
    desk.clock.jump(1_000)
    await assert.rejects(outcome, { code: 'PAIRING_DECLINED' })
    await assert.rejects(code.outcome, { code: 'PAIRING_DECLINED', message: /nobody answered/ })
  })

  it('wrong words with a right checksum get nowhere and cost nothing', async () => {
    const desk = await make(1, 'desk')
    const lap = await make(2, 'lap')
    const code = await desk.service.open({ autoAccept: true })
    const wrong = 'legal winner thank year wave sausage worth useful legal winner thank yellow'
    await assert.rejects(lap.service.join(wrong, to(desk)).outcome, { code: 'PAIRING_REFUSED' })
    assert.ok(desk.service.isOpen())
    const { outcome } = lap.service.join(code.words, to(desk))
    await outcome
  })

  it('mistyped words send nothing', async () => {
    const lap = await make(2, 'lap')
    assert.throws(() => lap.service.join('abandon abandon'), { code: 'BAD_WORDS' })
    assert.throws(() => lap.service.join('spacedrive:1?w=x'), { code: 'BAD_LINK' })
    assert.throws(() => lap.service.join('legal '.repeat(12), { addresses: ['nowhere'] }), { code: 'BAD_ADDRESS' })
    assert.deepEqual(lap.network.dialled, [])
    assert.deepEqual(lap.service.status(), [])
  })

  it('nobody there: says where it looked', async () => {
    const lap = await make(2, 'lap')
    const words = 'legal winner thank year wave sausage worth useful legal winner thank yellow'
    await assert.rejects(lap.service.join(words, { addresses: ['/ip4/127.0.0.1/tcp/1'] }).outcome, err => {
      assert.ok(hasCode(err, 'PAIRING_NOT_FOUND'))
      assert.match((err as Error).message, /discovery is off; could not reach \/ip4\/127\.0\.0\.1\/tcp\/1$/)
      return true
    })
    lap.network.ways.push('lan')
    const { outcome } = lap.service.join(words)
    lap.clock.jump(30_000)
    await assert.rejects(outcome, { code: 'PAIRING_NOT_FOUND', message: /looked in the local network/ })
  })

  it('its own words, and networking that is off, are said at once', async () => {
    const desk = await make(1, 'desk')
    const code = await desk.service.open()
    assert.throws(() => desk.service.join(code.words), { code: 'BAD_WORDS', message: /this device shows/ })
    Object.assign(desk.network, { identity: undefined })
    await assert.rejects(desk.service.open(), { code: 'NETWORK_OFF' })
    assert.throws(() => desk.service.join(code.words), { code: 'NETWORK_OFF' })
  })

  it('three codes at once, not four; cancelling makes room', async () => {
    const desk = await make(1, 'desk')
    const codes = [await desk.service.open(), await desk.service.open(), await desk.service.open()]
    await assert.rejects(desk.service.open(), { code: 'TOO_MANY_CODES' })
    assert.deepEqual(desk.service.cancel(codes[0]!.session), [codes[0]!.session])
    await assert.rejects(codes[0]!.outcome, { code: 'CANCELLED' })
    await desk.service.open()
    assert.equal(desk.service.cancel().length, 3)
    assert.ok(!desk.service.isOpen())
    assert.throws(() => desk.service.cancel(codes[0]!.session), { code: 'NO_SUCH_PAIRING' })
  })

  describe('A7: time', () => {
    it('after five minutes a code no longer pairs, and it says so to who shows it', async () => {
      const desk = await make(1, 'desk')
      const lap = await make(2, 'lap')
      const code = await desk.service.open({ autoAccept: true })
      desk.clock.jump(299_000)
      assert.ok(desk.service.isOpen())
      desk.clock.jump(1_000)
      await desk.event('pairing:expired')
      await assert.rejects(code.outcome, { code: 'CODE_EXPIRED' })
      await assert.rejects(lap.service.join(code.words, to(desk)).outcome, { code: 'PAIRING_REFUSED' })
      assert.match(desk.service.status()[0]!.warnings[0]!, /no longer holds/)
    })
    it('a wall clock that is set back ends it; a little is corrected by time servers and does not', async () => {
      const desk = await make(1, 'desk')
      const code = await desk.service.open()
      desk.clock.setWall(-1_000)
      assert.ok(desk.service.isOpen())
      desk.clock.setWall(-3_600_000)
      assert.ok(!desk.service.isOpen())
      await assert.rejects(code.outcome, { code: 'CODE_EXPIRED', message: /set back/ })
      desk.clock.setWall(3_601_000)
      assert.ok(!desk.service.isOpen(), 'and it stays ended')
    })
    it('a laptop that slept through the five minutes: the wall clock says so', async () => {
      const desk = await make(1, 'desk')
      const code = await desk.service.open()
      desk.clock.setWall(300_000)
      assert.ok(!desk.service.isOpen())
      await assert.rejects(code.outcome, { code: 'CODE_EXPIRED' })
    })
    it('a code that was used never comes again, not even from a restored machine, over restarts', async () => {
      // 16 bytes are the entropy of a code and of a session's name: always the same here.
      const random: Random = { ...systemRandom, bytes: n => (n === 16 ? fixed(7, 16) : systemRandom.bytes(n)) }
      const desk = await make(1, 'desk', { random })
      const lap = await make(2, 'lap')
      const code = await desk.service.open({ autoAccept: true })
      await lap.service.join(code.words, to(desk)).outcome
      await desk.service.stop()
      await desk.service.start()
      await assert.rejects(desk.service.open(), /used before/)
      assert.ok(!desk.service.isOpen())
    })
    it('a restart ends it', async () => {
      const desk = await make(1, 'desk')
      const lap = await make(2, 'lap')
      const code = await desk.service.open({ autoAccept: true })
      await desk.service.stop()
      await assert.rejects(code.outcome, { code: 'CANCELLED' })
      await desk.service.start()
      assert.ok(!desk.service.isOpen())
      await assert.rejects(lap.service.join(code.words, to(desk)).outcome, { code: 'PAIRING_REFUSED' })
    })
  })

  it('pairing again: epoch of the side that remembers more, known name shown, grants only if asked to keep', async () => {
    const desk = await make(1, 'desk')
    const lap = await make(2, 'lap')
    desk.known = [{ device: lap.device, name: 'my laptop', epoch: 4, revoked: false, hasGrants: true }]
    const code = await desk.service.open()
    const { outcome } = lap.service.join(code.words, to(desk))
    await desk.event('pairing:progressed', (e: { state: string }) => e.state === 'confirming')
    const { peer: shown } = desk.service.find(code.session)!
    assert.equal(shown?.knownAs, 'my laptop')
    assert.equal(shown?.hasGrants, true)
    desk.service.confirm(code.session, true, true)
    await Promise.all([outcome, code.outcome])
    assert.deepEqual([desk.saved[0]?.epoch, lap.saved[0]?.epoch], [5, 5])
    assert.equal(desk.saved[0]?.keepGrants, true)
    assert.equal(lap.saved[0]?.keepGrants, false)
  })

  it('A18: a name that looks like that of another device is pointed out', async () => {
    const desk = await make(1, 'desk')
    const lap = await make(2, 'M\u0443 lapt\u043ep\u001b[31m'.replace('\u0443', 'y'))
    const other = { device: desk.device, name: 'my laptop[31m', epoch: 1, revoked: false, hasGrants: false }
    desk.known = [other]
    const code = await desk.service.open()
    const { outcome } = lap.service.join(code.words, to(desk))
    const asked = await desk.event('pairing:progressed', (e: { state: string }) => e.state === 'confirming')
    assert.equal(asked.name, 'My lapt\u043ep[31m')
    assert.deepEqual(desk.service.find(code.session)?.peer?.looksLike, { device: desk.device, name: other.name })
    desk.service.confirm(code.session, true)
    await outcome
  })

  it('a full disk here: nothing is half, both sides are told', async () => {
    const desk = await make(1, 'desk')
    const lap = await make(2, 'lap')
    desk.failSave = () => {
      throw Object.assign(new Error('the disk is full'), { code: 'NO_SPACE' })
    }
    const code = await desk.service.open({ autoAccept: true })
    const { outcome } = lap.service.join(code.words, to(desk))
    await assert.rejects(outcome, { code: 'PAIRING_DECLINED' })
    await assert.rejects(code.outcome, /the disk is full/)
    assert.deepEqual(lap.saved, [])
  })

  it('cancelled by the joiner while the other person is asked: the code is used up, nothing saved', async () => {
    const desk = await make(1, 'desk')
    const lap = await make(2, 'lap')
    const code = await desk.service.open()
    const { session, outcome } = lap.service.join(code.words, to(desk))
    await desk.event('pairing:progressed', (e: { state: string }) => e.state === 'confirming')
    lap.service.cancel(session)
    await assert.rejects(outcome, { code: 'CANCELLED' })
    await assert.rejects(code.outcome, { code: 'PAIRING_INTERRUPTED' })
    assert.throws(() => desk.service.confirm(code.session, true), { code: 'NOTHING_TO_CONFIRM' })
    assert.deepEqual(desk.saved, [])
  })

  it('stopping in the middle leaves nothing running and nothing saved', async () => {
    const desk = await make(1, 'desk')
    const lap = await make(2, 'lap')
    const code = await desk.service.open()
    const { outcome } = lap.service.join(code.words, to(desk))
    await desk.event('pairing:progressed', (e: { state: string }) => e.state === 'confirming')
    await desk.service.stop()
    await assert.rejects(code.outcome, { code: 'CANCELLED' })
    await assert.rejects(outcome, err => hasCode(err, 'PAIRING_DECLINED', 'PAIRING_INTERRUPTED'))
    assert.ok(isDeepStrictEqual(desk.saved, []))
  })
})
