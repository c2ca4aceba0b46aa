/** X25519 and AES-256-GCM by node:crypto, on raw bytes. */
import { createCipheriv, createDecipheriv, createPrivateKey, createPublicKey, diffieHellman } from 'node:crypto'

// The fixed heads of a 32-byte X25519 key in PKCS #8 and SubjectPublicKeyInfo (RFC 8410).
const PRIVATE_HEAD = Buffer.from('302e020100300506032b656e04220420', 'hex')
const PUBLIC_HEAD = Buffer.from('302a300506032b656e032100', 'hex')
const TAG_BYTES = 16

const privateKey = (raw: Uint8Array): ReturnType<typeof createPrivateKey> =>
  createPrivateKey({ key: Buffer.concat([PRIVATE_HEAD, raw]), format: 'der', type: 'pkcs8' })

/** The public half of a private key (32 random bytes). */
export function exchangePublicKey(raw: Uint8Array): Uint8Array {
  const spki = createPublicKey(privateKey(raw)).export({ format: 'der', type: 'spki' })
  return new Uint8Array(spki.subarray(PUBLIC_HEAD.length))
}

/** The shared secret; undefined for a low-order point of the other side, whose secret would be all zeros and known to all. */
export function sharedSecret(raw: Uint8Array, theirs: Uint8Array): Uint8Array | undefined {
  let secret: Buffer
  try {
    const publicKey = createPublicKey({ key: Buffer.concat([PUBLIC_HEAD, theirs]), format: 'der', type: 'spki' })
    secret = diffieHellman({ privateKey: privateKey(raw), publicKey })
  } catch {
    return undefined // OpenSSL refuses the all-zero secret by itself
  }
  return secret.every(b => b === 0) ? undefined : new Uint8Array(secret)
}

/** Ciphertext followed by its 16-byte tag. A nonce must never come twice with a key; here most keys seal once. */
export function seal(key: Uint8Array, nonce: Uint8Array, plain: Uint8Array, aad: Uint8Array): Uint8Array {
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(aad)
  return new Uint8Array(Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]))
}

/** @returns undefined when the tag does not fit: another key, nonce, text or associated data */
export function unseal(
  key: Uint8Array,
  nonce: Uint8Array,
  sealed: Uint8Array,
  aad: Uint8Array
): Uint8Array | undefined {
  if (sealed.length < TAG_BYTES) return undefined
  const at = sealed.length - TAG_BYTES
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES }).setAAD(aad)
  decipher.setAuthTag(sealed.subarray(at))
  try {
    return new Uint8Array(Buffer.concat([decipher.update(sealed.subarray(0, at)), decipher.final()]))
  } catch {
    return undefined
  }
}
