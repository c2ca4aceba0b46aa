import assert from 'node:assert/strict'
import {
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync,
  verify as nodeVerify
} from 'node:crypto'
import { readFileSync } from 'node:fs'
import { openAdvertisement } from '../../../protocols/pairing/advertisement.js'
import { initiator, stepInitiator } from '../../../protocols/pairing/initiator.js'
import { stepJoiner } from '../../../protocols/pairing/joiner.js'
import { parseMessage } from '../../../protocols/pairing/messages.js'
import { publicKeyOf } from '../../../protocols/pairing/signature.js'
import { parseWords } from '../../../protocols/pairing/words.js'
import { initiatorInit, wholeHandshake, ZERO_KEYS } from './handshake.js'
import { ADVERTISED, makeVectors } from './make-vectors.js'

const file = new URL('../../../../test/protocols/pairing/vectors.json', import.meta.url)
const vectors = JSON.parse(readFileSync(file, 'utf8'))
const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex')

describe('pairing vectors', () => {
  it('are what the code makes today', () => {
    assert.deepEqual(JSON.parse(JSON.stringify(makeVectors())), vectors)
  })

  // Nothing but node:crypto below: a second implementation, so that the file is not only compared with its own maker.
  const C = 'spacedrive/pairing/v1'
  const lp = (...parts: (Uint8Array | string)[]): Buffer =>
    Buffer.concat(
      parts.flatMap(p => {
        const body = Buffer.from(p as string)
        const length = Buffer.alloc(4)
        length.writeUInt32BE(body.length)
        return [length, body]
      })
    )
  const sha = (b: Uint8Array): Buffer => createHash('sha256').update(b).digest()
  const hmac = (k: Uint8Array, b: Uint8Array): Buffer => createHmac('sha256', k).update(b).digest()
  const hkdf = (ikm: Uint8Array, salt: Uint8Array | string, info: string, n = 32): Buffer =>
    Buffer.from(hkdfSync('sha256', ikm, salt, info, n))
  const x25519 = (raw: Uint8Array): ReturnType<typeof createPrivateKey> =>
    createPrivateKey({
      key: Buffer.concat([bytes('302e020100300506032b656e04220420'), raw]),
      format: 'der',
      type: 'pkcs8'
    })
  const ed25519 = (raw: Uint8Array): ReturnType<typeof createPublicKey> =>
    createPublicKey({ key: Buffer.concat([bytes('302a300506032b6570032100'), raw]), format: 'der', type: 'spki' })

  it('every derived value, by HKDF of Node', () => {
    const { entropy } = parseWords(vectors.code.words)
    for (const [name, label, length] of [
      ['sessionId', 'session-id', 16],
      ['requestKey', 'request-mac', 32],
      ['preShared', 'psk', 32],
      ['rendezvousSeed', 'dht-sign', 32],
      ['rendezvousKey', 'dht-aead', 32],
      ['lanTag', 'lan-tag', 8]
    ] as const) {
      assert.equal(hkdf(entropy, C, `${C}/${label}`, length).toString('hex'), vectors.code[name], name)
    }
  })

  it('the whole transcript, step by step', () => {
    const raw = Object.fromEntries(
      Object.entries(vectors.handshake.frames).map(([k, v]) => [k, bytes(v as string)])
    ) as Record<string, Buffer>
    const m = (name: string): never => parseMessage(raw[name]!) as never
    const request = m('request') as { sid: Buffer; key: Buffer; commit: Buffer; mac: Buffer }
    const challenge = m('challenge') as Record<'sid' | 'key' | 'nonce' | 'signature' | 'info' | 'mac', Buffer>
    const response = m('response') as Record<'sid' | 'nonce' | 'signature' | 'info' | 'mac', Buffer>
    const peerId = (seed: string): Buffer => Buffer.concat([bytes('002408011220'), publicKeyOf(bytes(seed))])
    const PI = peerId(vectors.handshake.initiator.seed)
    const PJ = peerId(vectors.handshake.joiner.seed)
    const psk = bytes(vectors.code.preShared)

    const requestMac = hmac(
      bytes(vectors.code.requestKey),
      lp(`${C}/PairingRequest J>I`, PI, PJ, Buffer.from([1, 1]), request.sid, request.key, request.commit)
    )
    assert.deepEqual(Buffer.from(request.mac), requestMac)
    assert.deepEqual(Buffer.from(request.commit), sha(lp(`${C}/commit J`, response.nonce)))

    const shared = diffieHellman({
      privateKey: x25519(bytes(vectors.handshake.joiner.ephemeral)),
      publicKey: createPublicKey(x25519(bytes(vectors.handshake.initiator.ephemeral)))
    })
    const th1 = sha(lp(`${C}/th1`, PI, PJ, raw.request!, challenge.sid, challenge.key, challenge.nonce))
    const secret = Buffer.concat([shared, psk])
    const confirmI = hkdf(secret, th1, `${C}/confirm I`)
    const confirmJ = hkdf(secret, th1, `${C}/confirm J`)
    assert.ok(nodeVerify(null, lp(`${C}/sig I`, th1), ed25519(PI.subarray(6)), challenge.signature))
    assert.deepEqual(
      Buffer.from(challenge.mac),
      hmac(confirmI, lp(`${C}/Challenge I>J`, th1, challenge.signature, challenge.info))
    )
    const th2 = sha(lp(`${C}/th2`, th1, raw.challenge!))
    assert.ok(nodeVerify(null, lp(`${C}/sig J`, th2), ed25519(PJ.subarray(6)), response.signature))
    assert.deepEqual(
      Buffer.from(response.mac),
      hmac(confirmJ, lp(`${C}/Response J>I`, th2, response.nonce, response.signature, response.info))
    )
    const open = createDecipheriv('aes-256-gcm', hkdf(secret, th1, `${C}/info J`), Buffer.alloc(12))
      .setAAD(th2)
      .setAuthTag(Buffer.from(response.info.subarray(-16)))
    const plain = Buffer.concat([open.update(response.info.subarray(0, -16)), open.final()])
    assert.ok(plain.includes('lap'))
    const th3 = sha(lp(`${C}/th3`, th2, raw.response!))
    assert.deepEqual(Buffer.from((m('complete I') as { mac: Buffer }).mac), hmac(confirmI, lp(`${C}/Complete I`, th3)))
    assert.deepEqual(Buffer.from((m('complete J') as { mac: Buffer }).mac), hmac(confirmJ, lp(`${C}/Complete J`, th3)))
    assert.equal(hkdf(secret, th3, 'spacedrive/v1/pair-root').toString('hex'), vectors.handshake.pairRoot)
    const sas = hkdf(secret, sha(lp(`${C}/sas-transcript`, th2, response.nonce)), `${C}/sas`, 8)
    const bits = [...sas].map(b => b.toString(2).padStart(8, '0')).join('')
    const indexes = [0, 11, 22, 33].map(at => Number.parseInt(bits.slice(at, at + 11), 2))
    const known = [632, 514, 1144, 555] // places in the BIP39 list of: excuse doctor monitor earth
    assert.deepEqual(indexes, known)
    assert.equal(vectors.handshake.wordsToCompare, 'excuse doctor monitor earth')
  })

  it('the advertisement opens with these words', () => {
    const opened = openAdvertisement(ZERO_KEYS, bytes(vectors.advertisement.value), ADVERTISED.notAfterMs - 1_000)
    assert.deepEqual(opened, { device: ADVERTISED.device, addresses: ADVERTISED.addresses, seq: ADVERTISED.seq })
  })

  const whole = wholeHandshake()
  const at: Record<string, (raw: Uint8Array) => string[]> = {
    request: raw =>
      stepInitiator(initiator(initiatorInit()), { kind: 'frame', raw, codes: [ZERO_KEYS] }).effects.map(e => e.do),
    challenge: raw => stepJoiner(whole.joinerStates.challenge!, { kind: 'frame', raw }).effects.map(e => e.do),
    response: raw =>
      stepInitiator(whole.initiatorStates.asked!, { kind: 'frame', raw, codes: [] }).effects.map(e => e.do),
    'complete I': raw => stepJoiner(whole.joinerStates.complete!, { kind: 'frame', raw }).effects.map(e => e.do),
    'complete J': raw =>
      stepInitiator(whole.initiatorStates.complete!, { kind: 'frame', raw, codes: [] }).effects.map(e => e.do)
  }
  for (const { message, field, frame } of vectors.refused as { message: string; field: string; frame: string }[]) {
    it(`${message} with another ${field} is refused`, () => {
      assert.deepEqual(at[message]!(bytes(frame)), message === 'response' ? ['burn', 'fail'] : ['fail'])
    })
  }
  it('and the frames they were made of are taken', () => {
    const right = (name: string): string[] => at[name]!(bytes(vectors.handshake.frames[name]))
    assert.deepEqual(right('request'), ['wait-turn'])
    assert.deepEqual(right('challenge'), ['proven'])
    assert.deepEqual(right('response'), ['burn', 'ask'])
    assert.deepEqual(right('complete I'), ['save'])
    assert.deepEqual(right('complete J'), ['done'])
  })
})
