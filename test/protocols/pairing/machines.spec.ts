import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { CodeKeys } from '../../../protocols/pairing/derive.js'
import { codeKeys } from '../../../protocols/pairing/derive.js'
import { encodeInfo } from '../../../protocols/pairing/device-info.js'
import { exchangePublicKey, seal, sharedSecret } from '../../../protocols/pairing/exchange.js'
import { initiator, stepInitiator } from '../../../protocols/pairing/initiator.js'
import { joiner, stepJoiner } from '../../../protocols/pairing/joiner.js'
import { MAX_EPOCH } from '../../../protocols/pairing/limits.js'
import { encodeMessage, FAILED, type PairingRequest, parseMessage } from '../../../protocols/pairing/messages.js'
import { publicKeyOf, sign } from '../../../protocols/pairing/signature.js'
import * as t from '../../../protocols/pairing/transcript.js'
import { encode } from '../../../protocols/wire/index.js'
import {
  fixed,
  initiatorInit,
  joinerInit,
  SEED_I,
  SEED_J,
  sent,
  toChallenge,
  wholeHandshake,
  ZERO_KEYS
} from './handshake.js'

const WRONG_KEYS: CodeKeys = codeKeys(fixed(9, 16))
const kinds = (effects: readonly { do: string }[]): string[] => effects.map(e => e.do)
const onRequest = (raw: Uint8Array, codes: readonly CodeKeys[] = [ZERO_KEYS], init = initiatorInit()) =>
  stepInitiator(initiator(init), { kind: 'frame', raw, codes })
const request = (init = joinerInit(), keys = ZERO_KEYS): Uint8Array => sent(joiner(init, keys).effects)

/** An initiator that knows the words and may lie about the rest: what it signs with and seals is the test's choice. */
function rogueChallenge(rawRequest: Uint8Array, over: { seed?: Uint8Array; key?: Uint8Array; ends?: t.Ends } = {}) {
  const r = parseMessage(rawRequest) as PairingRequest
  const ends = over.ends ?? {
    initiator: t.peerIdBytes(publicKeyOf(SEED_I)),
    joiner: t.peerIdBytes(publicKeyOf(SEED_J))
  }
  const opening = { sid: ZERO_KEYS.sessionId, key: over.key ?? exchangePublicKey(fixed(3)), nonce: fixed(5) }
  const th1 = t.firstTranscript(ends, rawRequest, opening)
  const shared = over.key === undefined ? sharedSecret(fixed(3), r.key)! : new Uint8Array(32)
  const secrets = t.handshakeKeys(th1, shared, ZERO_KEYS.preShared)
  const signature = sign(over.seed ?? SEED_I, t.signedByInitiator(th1))
  const info = seal(secrets.infoInitiator, t.INFO_NONCE, encodeInfo(initiatorInit().info), th1)
  const mac = t.challengeMac(secrets.confirmInitiator, th1, signature, info)
  return encodeMessage({ type: 'challenge', ...opening, signature, info, mac })
}

describe('pairing machines', () => {
  it('two sides that behave end with the same secret, epoch and words, and know each other', () => {
    const { ask, shown, savedByI, savedByJ } = wholeHandshake()
    assert.equal(ask.words, shown.words)
    assert.equal(ask.words.split(' ').length, 4)
    assert.deepEqual(savedByI.pairRoot, savedByJ.pairRoot)
    assert.equal(savedByI.epoch, 1)
    assert.equal(savedByJ.epoch, 1)
    assert.equal(savedByI.info.name, 'lap')
    assert.equal(savedByJ.info.name, 'desk')
  })

  it('whatever the words, keys and nonces: the same secret on both sides, another one each time', () => {
    const b32 = fc.uint8Array({ minLength: 32, maxLength: 32 }).filter(b => b.some(x => x !== 0))
    const seen = new Set<string>()
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), b32, b32, b32, b32, (entropy, e1, e2, n1, n2) => {
        const keys = codeKeys(entropy)
        const done = wholeHandshake(
          initiatorInit({ ephemeral: e1, nonce: n1 }),
          joinerInit({ ephemeral: e2, nonce: n2 }),
          keys
        )
        assert.deepEqual(done.savedByI.pairRoot, done.savedByJ.pairRoot)
        assert.equal(done.ask.words, done.shown.words)
        const root = Buffer.from(done.savedByI.pairRoot).toString('hex')
        assert.ok(!seen.has(root))
        seen.add(root)
      }),
      { numRuns: 25 }
    )
  })

  it('every frame fits the limit, with the longest names too', () => {
    const long = {
      name: '\u{1F468}\u200D\u{1F469}'.repeat(400),
      os: 'x'.repeat(4000),
      model: 'y'.repeat(4000),
      epoch: 7
    }
    const { frames } = wholeHandshake(initiatorInit({ info: long }), joinerInit({ info: long }))
    for (const frame of frames) assert.ok(frame.length <= 1_024, `expected at most 1024 bytes, got ${frame.length}`)
  })

  it('pairing again: one more than the higher epoch of the two, on both sides', () => {
    const i = initiatorInit({ info: { ...initiatorInit().info, epoch: 4 } })
    const j = joinerInit({ info: { ...joinerInit().info, epoch: 7 } })
    const done = wholeHandshake(i, j)
    assert.equal(done.savedByI.epoch, 8)
    assert.equal(done.savedByJ.epoch, 8)
  })

  it('an epoch beyond the last one is refused by either side', () => {
    const high = { ...joinerInit().info, epoch: MAX_EPOCH }
    const j0 = joiner(joinerInit(), ZERO_KEYS)
    const c = toChallenge(initiator(initiatorInit({ info: high })), sent(j0.effects))
    assert.deepEqual(kinds(stepJoiner(j0.state, { kind: 'frame', raw: c.raw }).effects), ['fail'])
  })

  describe('A1: a joiner without the words', () => {
    it('fails at the request, learns nothing and counts as a guess', () => {
      const keys = { ...WRONG_KEYS, sessionId: ZERO_KEYS.sessionId } // the session id was seen
      const { effects } = onRequest(request(joinerInit(), keys))
      assert.deepEqual(effects, [{ do: 'fail', reason: 'unproven', counts: true }])
    })
    it('cannot use the words of another open code', () => {
      const mixed = { ...ZERO_KEYS, requestKey: WRONG_KEYS.requestKey }
      assert.deepEqual(kinds(onRequest(request(joinerInit(), mixed), [ZERO_KEYS, WRONG_KEYS]).effects), ['fail'])
    })
    it('H1: knowing the session id and owning a key is not enough', () => {
      const forged = { ...(parseMessage(request()) as PairingRequest), mac: fixed(1) }
      assert.deepEqual(kinds(onRequest(encodeMessage(forged)).effects), ['fail'])
    })
  })

  describe('A2, H2: a rogue initiator', () => {
    it('without the words: its Challenge is refused and nothing is told', () => {
      const j = joiner(joinerInit(), ZERO_KEYS)
      const r = parseMessage(sent(j.effects)) as PairingRequest
      const asIfRight = { ...r, mac: t.requestMac(WRONG_KEYS.requestKey, endsIJ(), { ...r, sid: r.sid }) }
      const rogueCodes = { ...WRONG_KEYS, sessionId: ZERO_KEYS.sessionId }
      const c = toChallenge(initiator(initiatorInit()), encodeMessage(asIfRight), [rogueCodes])
      assert.deepEqual(kinds(stepJoiner(j.state, { kind: 'frame', raw: c.raw }).effects), ['fail'])
    })
    it('that says Complete at once', () => {
      const j = joiner(joinerInit(), ZERO_KEYS)
      const raw = encodeMessage({ type: 'complete', ok: true, sid: ZERO_KEYS.sessionId, mac: fixed(1) })
      assert.deepEqual(stepJoiner(j.state, { kind: 'frame', raw }).effects, [{ do: 'fail', reason: 'unexpected' }])
    })
    it('A14: that says Complete with a wrong MAC after the Response', () => {
      const { joinerStates } = wholeHandshake()
      const raw = encodeMessage({ type: 'complete', ok: true, sid: ZERO_KEYS.sessionId, mac: fixed(1) })
      const step = stepJoiner(joinerStates.complete!, { kind: 'frame', raw })
      assert.deepEqual(step.effects, [{ do: 'fail', reason: 'unproven' }])
    })
    it('with the words but another key than its PeerId', () => {
      const j = joiner(joinerInit(), ZERO_KEYS)
      const right = rogueChallenge(sent(j.effects))
      assert.deepEqual(kinds(stepJoiner(j.state, { kind: 'frame', raw: right }).effects), ['proven'])
      const raw = rogueChallenge(sent(j.effects), { seed: fixed(66) })
      assert.deepEqual(stepJoiner(j.state, { kind: 'frame', raw }).effects, [{ do: 'fail', reason: 'unproven' }])
    })
  })

  describe('A3: a relay between two Noise sessions', () => {
    const mitm = { publicKey: publicKeyOf(fixed(77)), seed: fixed(77) }
    it('passes the request on: the initiator sees another PeerId', () => {
      const raw = request(joinerInit({ remotePublicKey: mitm.publicKey }))
      const init = initiatorInit({ remotePublicKey: mitm.publicKey })
      assert.deepEqual(kinds(onRequest(raw, [ZERO_KEYS], init).effects), ['fail'])
    })
    it('passes the Challenge on: the joiner sees another PeerId', () => {
      const c = toChallenge(initiator(initiatorInit()), request())
      const j = joiner(joinerInit({ remotePublicKey: mitm.publicKey }), ZERO_KEYS)
      assert.deepEqual(kinds(stepJoiner(j.state, { kind: 'frame', raw: c.raw }).effects), ['fail'])
    })
    it('with the words: both persons see different words', () => {
      const left = wholeHandshake(initiatorInit({ remotePublicKey: mitm.publicKey }), joinerInit({ local: mitm }))
      const right = wholeHandshake(initiatorInit({ local: mitm }), joinerInit({ remotePublicKey: mitm.publicKey }))
      assert.notEqual(left.ask.words, right.shown.words)
    })
    it('with the words: what it may still vary in its Response does not change the words', () => {
      const one = wholeHandshake()
      const other = wholeHandshake(initiatorInit(), joinerInit({ info: { ...joinerInit().info, name: 'x' } }))
      assert.equal(one.ask.words, other.ask.words)
      assert.notDeepEqual(one.savedByI.pairRoot, other.savedByI.pairRoot)
    })
    it('with the words: its nonce cannot change after the commitment', () => {
      const j = joinerInit()
      const r = request(j)
      const i = toChallenge(initiator(initiatorInit()), r)
      const answer = stepJoiner(stepJoiner(joiner(j, ZERO_KEYS).state, { kind: 'frame', raw: i.raw }).state, {
        kind: 'chosen'
      })
      const response = parseMessage(sent(answer.effects)) as Extract<
        ReturnType<typeof parseMessage>,
        { type: 'response' }
      >
      // The MAC made anew over the other nonce, as only who knows all secrets can.
      const shared = sharedSecret(j.ephemeral, exchangePublicKey(fixed(3)))!
      const c = parseMessage(i.raw) as Extract<ReturnType<typeof parseMessage>, { type: 'challenge' }>
      const th1 = t.firstTranscript(endsIJ(), r, c)
      const secrets = t.handshakeKeys(th1, shared, ZERO_KEYS.preShared)
      const th2 = t.nextTranscript('/th2', th1, i.raw)
      const other = { ...response, nonce: fixed(99) }
      const raw = encodeMessage({ ...other, mac: t.responseMac(secrets.confirmJoiner, th2, other) })
      const again = encodeMessage({ ...response, mac: t.responseMac(secrets.confirmJoiner, th2, response) })
      assert.deepEqual(kinds(stepInitiator(i.state, { kind: 'frame', raw: again, codes: [] }).effects), ['burn', 'ask'])
      assert.deepEqual(kinds(stepInitiator(i.state, { kind: 'frame', raw, codes: [] }).effects), ['burn', 'fail'])
    })
  })

  it('A4: frames of an earlier handshake fail in a new one', () => {
    const old = wholeHandshake()
    const j = joiner(joinerInit({ ephemeral: fixed(40), nonce: fixed(60) }), ZERO_KEYS)
    assert.deepEqual(kinds(stepJoiner(j.state, { kind: 'frame', raw: old.frames[1]! }).effects), ['fail'])
    // The request itself is right (it proves the words), but its replayer can say nothing to the new Challenge.
    const i = toChallenge(initiator(initiatorInit({ ephemeral: fixed(30), nonce: fixed(50) })), old.frames[0]!)
    const step = stepInitiator(i.state, { kind: 'frame', raw: old.frames[2]!, codes: [] })
    assert.deepEqual(kinds(step.effects), ['burn', 'fail'])
  })

  it('A5: own messages sent back fail', () => {
    const { frames, initiatorStates, joinerStates } = wholeHandshake()
    assert.deepEqual(kinds(stepJoiner(joinerStates.challenge!, { kind: 'frame', raw: frames[0]! }).effects), ['fail'])
    for (const n of [1, 3]) {
      const back = stepInitiator(initiatorStates.complete!, { kind: 'frame', raw: frames[n]!, codes: [] })
      assert.deepEqual(kinds(back.effects), ['fail'])
    }
    assert.deepEqual(kinds(stepJoiner(joinerStates.complete!, { kind: 'frame', raw: frames[4]! }).effects), ['fail'])
    const mirrored = rogueChallenge(frames[0]!, { key: exchangePublicKey(joinerInit().ephemeral) })
    assert.deepEqual(kinds(stepJoiner(joinerStates.challenge!, { kind: 'frame', raw: mirrored }).effects), ['fail'])
  })

  it('A6: when its turn comes and the code is gone, the second joiner fails and counts no guess', () => {
    const asked = onRequest(request())
    const late = stepInitiator(asked.state, { kind: 'turn', open: false })
    assert.deepEqual(late.effects, [{ do: 'fail', reason: 'closed-code', counts: false }])
  })

  it('A9, H3: an identity claimed in a message is not looked at', () => {
    const claimed = { ...parseMessage(request()), peerId: '12D3KooWnobody', publicKey: publicKeyOf(fixed(66)) }
    assert.deepEqual(kinds(onRequest(encode(claimed)).effects), ['wait-turn'])
  })

  describe('A10, H4: nothing that the other side chose is signed', () => {
    it('fields of another length, all zeros, or absent', () => {
      const right = parseMessage(request()) as PairingRequest & Record<string, unknown>
      for (const field of ['sid', 'key', 'commit', 'mac'] as const) {
        for (const length of [0, 31, 33, 3_000]) {
          const raw = encode({ ...right, [field]: fixed(1, length) })
          assert.deepEqual(onRequest(raw).effects, [{ do: 'fail', reason: 'malformed', counts: true }])
        }
      }
      for (const field of ['key', 'commit']) {
        const raw = encode({ ...right, [field]: new Uint8Array(32) })
        assert.deepEqual(onRequest(raw).effects, [{ do: 'fail', reason: 'malformed', counts: true }])
      }
      const c = parseMessage(toChallenge(initiator(initiatorInit()), request()).raw)
      for (const nonce of [new Uint8Array(0), fixed(1, 31), fixed(1, 33), new Uint8Array(32), undefined]) {
        const raw = encode({ ...c, nonce })
        const step = stepJoiner(joiner(joinerInit(), ZERO_KEYS).state, { kind: 'frame', raw })
        assert.deepEqual(step.effects, [{ do: 'fail', reason: 'malformed' }])
      }
    })
    it('A21: what is signed begins with a label and is hashed with our own share', () => {
      const th = fixed(8)
      for (const message of [t.signedByInitiator(th), t.signedByJoiner(th)]) {
        assert.match(Buffer.from(message.subarray(4)).toString('latin1'), /^spacedrive\/pairing\/v1\/sig [IJ]/)
        assert.equal(message.length, 4 + 'spacedrive/pairing/v1/sig I'.length + 4 + 32)
      }
      assert.notDeepEqual(t.signedByInitiator(th), t.signedByJoiner(th))
    })
  })

  describe('A11: bad points and signatures', () => {
    // RFC 7748 section 6.1 and the curve's other points of small order.
    const lowOrder = [
      '0100000000000000000000000000000000000000000000000000000000000000',
      'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
      '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
      'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
      'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
      'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'
    ].map(h => new Uint8Array(Buffer.from(h, 'hex')))
    it('a joiner (with the words) whose share is of low order', () => {
      for (const key of lowOrder) {
        const r = parseMessage(request()) as PairingRequest
        const fields = { ...r, key }
        const raw = encodeMessage({ ...fields, mac: t.requestMac(ZERO_KEYS.requestKey, endsIJ(), fields) })
        const step = stepInitiator(onRequest(raw).state, { kind: 'turn', open: true })
        assert.deepEqual(step.effects, [{ do: 'fail', reason: 'low-order', counts: false }])
      }
    })
    it('an initiator (with the words) whose share is of low order', () => {
      for (const key of lowOrder) {
        const j = joiner(joinerInit(), ZERO_KEYS)
        const raw = rogueChallenge(sent(j.effects), { key })
        assert.deepEqual(stepJoiner(j.state, { kind: 'frame', raw }).effects, [{ do: 'fail', reason: 'low-order' }])
      }
    })
  })

  it('A12: another version or suite is refused, and both are in the MAC', () => {
    const r = parseMessage(request()) as PairingRequest
    const macOf = (over: object): string =>
      Buffer.from(t.requestMac(ZERO_KEYS.requestKey, endsIJ(), { ...r, ...over } as PairingRequest)).toString('hex')
    assert.equal(new Set([macOf({}), macOf({ v: 2 }), macOf({ suite: 2 })]).size, 3)
    for (const over of [{ v: 0 }, { v: 2 }, { suite: 0 }, { suite: 2 }]) {
      assert.deepEqual(kinds(onRequest(encode({ ...r, ...over })).effects), ['fail'])
    }
  })

  it('A13: out of order, doubled, missing: each frame in each state but its own ends it', () => {
    const { frames, initiatorStates, joinerStates } = wholeHandshake()
    const own = { i0: 0, asked: 2, complete: 4 } as Record<string, number>
    for (const [name, state] of Object.entries(initiatorStates)) {
      frames.forEach((raw, n) => {
        if (own[name] === n) return
        const { effects, state: after } = stepInitiator(state, { kind: 'frame', raw, codes: [ZERO_KEYS] })
        assert.equal(effects.at(-1)?.do, 'fail', `${name}, frame ${n}`)
        assert.equal(after.at, 'failed')
      })
    }
    const ownJ = { challenge: 1, complete: 3 } as Record<string, number>
    for (const [name, state] of Object.entries(joinerStates)) {
      frames.forEach((raw, n) => {
        if (ownJ[name] === n) return
        assert.equal(stepJoiner(state, { kind: 'frame', raw }).effects.at(-1)?.do, 'fail', `${name}, frame ${n}`)
      })
    }
    const dead = onRequest(fixed(1, 10)).state
    assert.equal(stepInitiator(dead, { kind: 'frame', raw: frames[0]!, codes: [ZERO_KEYS] }).effects[0]?.do, 'fail')
    assert.equal(stepInitiator(dead, { kind: 'answer', accept: true }).effects[0]?.do, 'fail')
    assert.equal(stepInitiator(initiatorStates.answer!, { kind: 'saved' }).effects[0]?.do, 'fail')
  })

  it('garbage of any kind is refused without an exception', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 4_096 }), raw => {
        assert.equal(onRequest(raw).effects.at(-1)?.do, 'fail')
        const j = joiner(joinerInit(), ZERO_KEYS)
        assert.equal(stepJoiner(j.state, { kind: 'frame', raw }).effects.at(-1)?.do, 'fail')
      }),
      { numRuns: 200 }
    )
  })

  it('A16: our own key on the other side', () => {
    const self = { remotePublicKey: publicKeyOf(SEED_J) }
    assert.deepEqual(kinds(joiner(joinerInit(self), ZERO_KEYS).effects), ['fail'])
    const init = initiatorInit({ remotePublicKey: publicKeyOf(SEED_I) })
    assert.deepEqual(onRequest(request(), [ZERO_KEYS], init).effects, [{ do: 'fail', reason: 'self', counts: true }])
  })

  it('a person who says no: nothing is saved, the code is burned all the same', () => {
    const { initiatorStates } = wholeHandshake()
    const no = stepInitiator(initiatorStates.answer!, { kind: 'answer', accept: false })
    assert.deepEqual(no.effects, [{ do: 'fail', reason: 'declined', counts: false }])
  })

  it('the joiner takes the one failure there is at any time', () => {
    const { joinerStates } = wholeHandshake()
    for (const state of Object.values(joinerStates)) {
      assert.deepEqual(stepJoiner(state, { kind: 'frame', raw: FAILED }).effects, [{ do: 'fail', reason: 'refused' }])
    }
  })

  it('A20: the order of checks does not show: one MAC comparison for each code, right or wrong', () => {
    // Every code is compared whatever the session id says; and whatever fails leaves after the same delay (service.spec).
    const three = [WRONG_KEYS, codeKeys(fixed(8, 16)), ZERO_KEYS]
    assert.deepEqual(kinds(onRequest(request(), three).effects), ['wait-turn'])
    assert.deepEqual(kinds(onRequest(request(), [...three].reverse()).effects), ['wait-turn'])
    assert.deepEqual(kinds(onRequest(request(), []).effects), ['fail'])
  })

  it('H5: nobody vouches for others: a list of devices or keys of a third party is no message, in any state', () => {
    const { initiatorStates, joinerStates } = wholeHandshake()
    const raw = encode({ type: 'proxy-complete', ok: true, devices: [{ device: 'x', key: fixed(1) }], mac: fixed(1) })
    for (const state of Object.values(initiatorStates)) {
      const { effects } = stepInitiator(state, { kind: 'frame', raw, codes: [ZERO_KEYS] })
      assert.ok(!kinds(effects).includes('save') && effects.at(-1)?.do === 'fail')
    }
    for (const state of Object.values(joinerStates)) {
      assert.deepEqual(kinds(stepJoiner(state, { kind: 'frame', raw }).effects), ['fail'])
    }
  })

  it('H6: the words alone lead to no key of the pair', () => {
    const roots = [1, 2].map(n => wholeHandshake(initiatorInit({ ephemeral: fixed(100 + n) })).savedByI.pairRoot)
    assert.notDeepEqual(roots[0], roots[1])
  })
})

const endsIJ = (): t.Ends => ({
  initiator: t.peerIdBytes(publicKeyOf(SEED_I)),
  joiner: t.peerIdBytes(publicKeyOf(SEED_J))
})
