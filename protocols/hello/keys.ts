import { createHash, createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import type { DeviceId } from '../../storage/base/index.js'

const CONTEXT = 'spacedrive/hello/v1'

/** Who dialled and who listened is part of every label: a message sent back to its sender proves nothing. */
export interface Ends {
  readonly dialler: DeviceId
  readonly listener: DeviceId
}

export interface HelloKeys {
  /** What both have seen before the first proof. */
  readonly transcript: Buffer
  readonly listenerProof: Buffer
  readonly diallerProof: Buffer
  readonly welcomeProof: Buffer
  /** This connection's keys, one each way. */
  readonly toListener: Uint8Array
  readonly toDialler: Uint8Array
}

/**
 * Everything of one hello, from the pair's root and what was said: HKDF-SHA256 with the transcript as salt, so every
 * connection has fresh keys and a proof holds for this connection, these two PeerIds, these roles and this epoch alone.
 * @param openFrame - the dialler's first frame, as it was on the wire
 */
export function helloKeys(
  root: Uint8Array,
  ends: Ends,
  openFrame: Uint8Array,
  epoch: number,
  listenerNonce: Uint8Array
): HelloKeys {
  const transcript = hash('transcript', ends.dialler, ends.listener, openFrame, String(epoch), listenerNonce)
  const expand = (label: string): Buffer => Buffer.from(hkdfSync('sha256', root, transcript, `${CONTEXT}/${label}`, 32))
  return {
    transcript,
    listenerProof: expand('proof listener'),
    diallerProof: expand('proof dialler'),
    welcomeProof: expand('proof welcome'),
    toListener: new Uint8Array(expand('key dialler to listener')),
    toDialler: new Uint8Array(expand('key listener to dialler'))
  }
}

/** The listener's proof: it knows the root, and saw this opening. */
export function proveListener(keys: HelloKeys): Uint8Array {
  return mac(keys.listenerProof, keys.transcript)
}

/** The dialler's, over the listener's proof and what it tells of itself. */
export function proveDialler(keys: HelloKeys, listenerProof: Uint8Array, info: Uint8Array): Uint8Array {
  return mac(keys.diallerProof, hash('prove', keys.transcript, listenerProof, info))
}

/** The listener's last word, over the dialler's proof and what the listener tells of itself. */
export function proveWelcome(keys: HelloKeys, diallerProof: Uint8Array, info: Uint8Array): Uint8Array {
  return mac(keys.welcomeProof, hash('welcome', keys.transcript, diallerProof, info))
}

/** A key for one purpose from a connection's key of one direction. */
export function deriveKey(connectionKey: Uint8Array, salt: Uint8Array, info: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', connectionKey, salt, `${CONTEXT}/use/${info}`, 32))
}

/** In constant time. */
export function sameProof(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}

function mac(key: Uint8Array, data: Uint8Array): Uint8Array {
  return new Uint8Array(createHmac('sha256', key).update(data).digest())
}

function hash(label: string, ...parts: (Uint8Array | string)[]): Buffer {
  const h = createHash('sha256')
  for (const part of [`${CONTEXT}/${label}`, ...parts]) {
    const bytes = typeof part === 'string' ? Buffer.from(part) : part
    const length = Buffer.alloc(4)
    length.writeUInt32BE(bytes.length)
    h.update(length).update(bytes)
  }
  return h.digest()
}
