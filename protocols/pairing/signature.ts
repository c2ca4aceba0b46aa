/** Ed25519 by @noble/ed25519, strict (RFC 8032, no ZIP 215): keys and points of small order and S >= L are refused. */
import { createHash } from 'node:crypto'
import { getPublicKey, hashes, sign as nobleSign, verify as nobleVerify } from '@noble/ed25519'

hashes.sha512 = message => new Uint8Array(createHash('sha512').update(message).digest())

export function publicKeyOf(seed: Uint8Array): Uint8Array {
  return getPublicKey(seed)
}

/** Only ever called with what `labelled` made: the key never signs bytes that somebody else chose (threats A10, A21). */
export function sign(seed: Uint8Array, message: Uint8Array): Uint8Array {
  return nobleSign(message, seed)
}

export function verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  try {
    return nobleVerify(signature, message, publicKey, { zip215: false })
  } catch {
    return false // not a point, not a signature
  }
}
