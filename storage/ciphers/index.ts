/**
 * Ciphers that work in the memory they are given: authenticated encryption of what moves between devices, a megabyte at a time.
 *
 *   const cipher = aead('aes-256-gcm')
 *   cipher.seal({ key, nonce, aad }, content, into, tag)            // `into` may be `content` itself
 *   if (!cipher.open({ key, nonce, aad }, sealed, sealed, tag)) ... // then nothing of it may be used
 *
 * node:crypto answers each piece with new memory: making it, clearing it, copying out of it and collecting it took three
 * times as long as the cipher itself (docs/decisions/052). It stays the fall-back, and both give the same bytes.
 */
import {
  type Aead,
  type AeadName,
  type AeadParameters,
  KEY_BYTES,
  lengthOf,
  NONCE_BYTES,
  type Pieces,
  TAG_BYTES
} from './aead.js'
import { nodeAead } from './node-aead.js'
import { findOpensslAead } from './openssl.js'

export {
  type Aead,
  type AeadName,
  type AeadParameters,
  KEY_BYTES,
  lengthOf,
  NONCE_BYTES,
  type Pieces,
  TAG_BYTES
} from './aead.js'

const made = new Map<AeadName, Aead>()

/** One for each thread. */
export function aead(name: AeadName): Aead {
  let cipher = made.get(name)
  if (cipher === undefined) {
    cipher = checked(findOpensslAead(name) ?? nodeAead(name))
    made.set(name, cipher)
  }
  return cipher
}

/** Lengths are looked at here, once for both: below, memory is written as far as they say. */
export function checked(cipher: Aead): Aead {
  const check = (
    { key, nonce }: AeadParameters,
    from: Pieces,
    into: Uint8Array | 'in place',
    tag: Uint8Array
  ): void => {
    if (key.length !== KEY_BYTES) throw new RangeError(`expected a key of ${KEY_BYTES} bytes, got ${key.length}`)
    if (nonce.length !== NONCE_BYTES) throw new RangeError(`expected a nonce of ${NONCE_BYTES} bytes`)
    if (tag.length !== TAG_BYTES) throw new RangeError(`expected a tag of ${TAG_BYTES} bytes, got ${tag.length}`)
    if (into === 'in place') return
    const length = lengthOf(from)
    if (into.length !== length) throw new RangeError(`expected ${length} bytes of memory, got ${into.length}`)
  }
  return {
    seal(parameters, from, into, tag) {
      check(parameters, from, into, tag)
      cipher.seal(parameters, from, into, tag)
    },
    open(parameters, from, into, tag) {
      check(parameters, from, into, tag)
      return cipher.open(parameters, from, into, tag)
    }
  }
}
