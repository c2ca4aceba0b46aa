import { type CipherGCM, createCipheriv, createDecipheriv, type DecipherGCM } from 'node:crypto'
import { type Aead, type AeadName, type AeadParameters, lengthOf, type Pieces, piecesOf, TAG_BYTES } from './aead.js'

/** Memory of this size is used again at once and stays in the processor's cache; that of a whole megabyte does neither. */
const PIECE_BYTES = 64 * 1024

/** By node:crypto, which is there on every platform. */
export function nodeAead(name: AeadName): Aead {
  const options = { authTagLength: TAG_BYTES }
  const run = (
    cipher: CipherGCM | DecipherGCM,
    { aad }: AeadParameters,
    from: Pieces,
    into: Uint8Array | 'in place'
  ): void => {
    cipher.setAAD(aad, { plaintextLength: lengthOf(from) })
    let done = 0
    for (const piece of piecesOf(from)) {
      const place = into === 'in place' ? piece : into.subarray(done)
      for (let at = 0; at < piece.length; at += PIECE_BYTES)
        place.set(cipher.update(piece.subarray(at, at + PIECE_BYTES)), at)
      done += piece.length
    }
  }
  return {
    seal(parameters, from, into, tag) {
      const cipher = createCipheriv(name as 'aes-256-gcm', parameters.key, parameters.nonce, options)
      run(cipher, parameters, from, into)
      cipher.final()
      tag.set(cipher.getAuthTag())
    },
    open(parameters, from, into, tag) {
      const decipher = createDecipheriv(name as 'aes-256-gcm', parameters.key, parameters.nonce, options)
      decipher.setAuthTag(tag)
      run(decipher, parameters, from, into)
      try {
        decipher.final()
        return true
      } catch {
        return false
      }
    }
  }
}
