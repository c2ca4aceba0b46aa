/** The primitives of the handshake, all from SHA-256: length prefixes, HKDF in its two halves, MACs, comparison. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'

/** First part of every label: a value made for pairing fits nowhere else, and a later version none of this one. */
export const CONTEXT = 'spacedrive/pairing/v1'

const utf8 = new TextEncoder()

/** `lp`: a 4-byte big-endian length before the bytes, so that parts cannot be cut elsewhere. */
function lengthPrefixed(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((n, p) => n + 4 + p.length, 0))
  const view = new DataView(out.buffer)
  let at = 0
  for (const part of parts) {
    view.setUint32(at, part.length)
    out.set(part, at + 4)
    at += 4 + part.length
  }
  return out
}

/** What is hashed, MACed or signed: `lp(CONTEXT + label) | lp(part) | ...`. */
export function labelled(label: string, ...parts: readonly Uint8Array[]): Uint8Array {
  return lengthPrefixed([utf8.encode(CONTEXT + label), ...parts])
}

export function hash(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(bytes).digest())
}

export function mac(key: Uint8Array, bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHmac('sha256', key).update(bytes).digest())
}

/** HKDF-Extract (RFC 5869). */
export function extract(salt: Uint8Array | string, ...input: readonly Uint8Array[]): Uint8Array {
  const hmac = createHmac('sha256', typeof salt === 'string' ? utf8.encode(salt) : salt)
  for (const part of input) hmac.update(part)
  return new Uint8Array(hmac.digest())
}

/** HKDF-Expand (RFC 5869) of one block: at most 32 bytes, which is all that is needed here. */
export function expand(key: Uint8Array, info: string, length = 32): Uint8Array {
  if (length > 32) throw new RangeError(`expected at most 32 bytes, got ${length}`)
  const block = createHmac('sha256', key)
    .update(info)
    .update(new Uint8Array([1]))
    .digest()
  return new Uint8Array(block.subarray(0, length))
}

/** Constant time for equal lengths; the length itself is no secret here. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}
