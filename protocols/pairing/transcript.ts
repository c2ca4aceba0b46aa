/**
 * What both sides compute from the messages (docs/protocols/pairing.md 3): hashes over everything said so far, what is
 * MACed and signed over them, and the keys. `I` shows the code, `J` typed it; `raw` is a frame as it was on the wire.
 */
import { expand, extract, hash, labelled, mac } from './kdf.js'
import type { Complete, PairingRequest } from './messages.js'
import { compareWords } from './words.js'

/** PeerId of an Ed25519 key as bytes: an identity multihash of its protobuf. Signed and MACed instead of any claim in a message. */
export function peerIdBytes(publicKey: Uint8Array): Uint8Array {
  if (publicKey.length !== 32) throw new RangeError(`expected 32 bytes, got ${publicKey.length}`)
  const out = new Uint8Array(38)
  out.set([0x00, 0x24, 0x08, 0x01, 0x12, 0x20])
  out.set(publicKey, 6)
  return out
}

export interface Ends {
  readonly initiator: Uint8Array
  readonly joiner: Uint8Array
}

export function commitment(joinerNonce: Uint8Array): Uint8Array {
  return hash(labelled('/commit J', joinerNonce))
}

export function requestMac(key: Uint8Array, ends: Ends, m: Omit<PairingRequest, 'mac'>): Uint8Array {
  const numbers = new Uint8Array([m.v, m.suite])
  return mac(key, labelled('/PairingRequest J>I', ends.initiator, ends.joiner, numbers, m.sid, m.key, m.commit))
}

export interface ChallengeOpening {
  readonly sid: Uint8Array
  readonly key: Uint8Array
  readonly nonce: Uint8Array
}

/** th1: who, the request as it came, and what the initiator adds. */
export function firstTranscript(ends: Ends, rawRequest: Uint8Array, c: ChallengeOpening): Uint8Array {
  return hash(labelled('/th1', ends.initiator, ends.joiner, rawRequest, c.sid, c.key, c.nonce))
}

/** th2 and th3: the transcript so far and the next frame. */
export function nextTranscript(label: '/th2' | '/th3', before: Uint8Array, raw: Uint8Array): Uint8Array {
  return hash(labelled(label, before, raw))
}

export interface HandshakeKeys {
  readonly confirmInitiator: Uint8Array
  readonly confirmJoiner: Uint8Array
  readonly infoInitiator: Uint8Array
  readonly infoJoiner: Uint8Array
}

/** Needs the fresh X25519 secret and the words: neither alone opens anything. */
export function handshakeKeys(th1: Uint8Array, shared: Uint8Array, preShared: Uint8Array): HandshakeKeys {
  const key = extract(th1, shared, preShared)
  return {
    confirmInitiator: expand(key, 'spacedrive/pairing/v1/confirm I'),
    confirmJoiner: expand(key, 'spacedrive/pairing/v1/confirm J'),
    infoInitiator: expand(key, 'spacedrive/pairing/v1/info I'),
    infoJoiner: expand(key, 'spacedrive/pairing/v1/info J')
  }
}

/** The keys that seal the two infos seal nothing else, so their nonce may be zero. */
export const INFO_NONCE: Uint8Array = new Uint8Array(12)

export const signedByInitiator = (th1: Uint8Array): Uint8Array => labelled('/sig I', th1)
export const signedByJoiner = (th2: Uint8Array): Uint8Array => labelled('/sig J', th2)

export function challengeMac(key: Uint8Array, th1: Uint8Array, signature: Uint8Array, info: Uint8Array): Uint8Array {
  return mac(key, labelled('/Challenge I>J', th1, signature, info))
}

export function responseMac(
  key: Uint8Array,
  th2: Uint8Array,
  m: { nonce: Uint8Array; signature: Uint8Array; info: Uint8Array }
): Uint8Array {
  return mac(key, labelled('/Response J>I', th2, m.nonce, m.signature, m.info))
}

export function completeMessage(from: 'I' | 'J', key: Uint8Array, sid: Uint8Array, th3: Uint8Array): Complete {
  return { type: 'complete', ok: true, sid, mac: mac(key, labelled(`/Complete ${from}`, th3)) }
}

/** The root of all keys of the pair: from the words, the fresh X25519 secret and everything that was said. */
export function pairRoot(th3: Uint8Array, shared: Uint8Array, preShared: Uint8Array): Uint8Array {
  return expand(extract(th3, shared, preShared), 'spacedrive/v1/pair-root')
}

/**
 * The four words both screens show. They follow from what each side had to settle before it saw the other's share (the
 * joiner's nonce is opened only in Response, after the commitment), and from nothing that can still be varied afterwards
 * (signature and info of Response are left out): so nobody can search for words that agree.
 */
export function wordsToCompare(
  th2: Uint8Array,
  joinerNonce: Uint8Array,
  shared: Uint8Array,
  preShared: Uint8Array
): string {
  const key = extract(hash(labelled('/sas-transcript', th2, joinerNonce)), shared, preShared)
  return compareWords(expand(key, 'spacedrive/pairing/v1/sas', 8))
}
