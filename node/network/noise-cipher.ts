/**
 * Noise's packets sealed and opened by storage/ciphers: into one piece of memory instead of several, and opened where they
 * lie. Content passes here once more after it was sealed for the transfer, on the event loop: what this costs bounds how
 * fast a device sends.
 */
import { aead, type Pieces, TAG_BYTES } from '../../storage/ciphers/index.js'
import { type PacketMemory, packetMemory } from './packet-memory.js'

/** Below it Noise's own way is as fast; and all of the handshake is that small. */
const FROM_BYTES = 1_200

/** A list of pieces of memory, as libp2p has them, or one piece. */
type Bytes = Uint8Array | (Iterable<Uint8Array> & { readonly byteLength: number })

/** What @chainsafe/libp2p-noise does its ciphers with. */
export interface NoiseCipher {
  encrypt(content: Bytes, nonce: Uint8Array, aad: Uint8Array, key: Uint8Array): Bytes
  /** @param into - as long as the content: a copy of it that nobody needs, or the very memory in which it lies sealed */
  decrypt(sealed: Bytes, nonce: Uint8Array, aad: Uint8Array, key: Uint8Array, into?: Uint8Array): Bytes
}

/**
 * An encrypter of another make is left as it is.
 * @param memory - for packets: told by the sockets what they wrote (`gathered`)
 */
export function sealedInPlace<T extends object>(encrypter: T, memory: PacketMemory = packetMemory()): T {
  const { crypto } = encrypter as { crypto?: Partial<NoiseCipher> }
  if (typeof crypto?.encrypt === 'function' && typeof crypto.decrypt === 'function')
    Object.assign(encrypter, { crypto: { ...crypto, ...inPlace(crypto as NoiseCipher, memory) } })
  return encrypter
}

/** @param small - for what is too small to gain */
export function inPlace(small: NoiseCipher, memory: PacketMemory = packetMemory()): NoiseCipher {
  return {
    encrypt(content, nonce, aad, key) {
      if (content.byteLength < FROM_BYTES) return small.encrypt(content, nonce, aad, key)
      const { byteLength } = content
      const sealed = memory.take(byteLength + TAG_BYTES)
      const tag = sealed.subarray(byteLength)
      aead('chacha20-poly1305').seal({ key, nonce, aad }, pieces(content), sealed.subarray(0, byteLength), tag)
      return sealed
    },
    decrypt(sealed, nonce, aad, key, into) {
      const length = sealed.byteLength - TAG_BYTES
      if (into === undefined || into.length !== length || sealed.byteLength < FROM_BYTES)
        return small.decrypt(sealed, nonce, aad, key, into)
      const { content, tag } = split(pieces(sealed), length)
      if (!aead('chacha20-poly1305').open({ key, nonce, aad }, content, into, tag))
        throw new Error('a packet was changed on the way')
      return into
    }
  }
}

const pieces = (bytes: Bytes): readonly Uint8Array[] => (bytes instanceof Uint8Array ? [bytes] : [...bytes])

/** The content and the tag behind it, which may lie in several pieces itself. */
function split(all: readonly Uint8Array[], length: number): { content: Pieces; tag: Uint8Array } {
  const content: Uint8Array[] = []
  const tag: Uint8Array[] = []
  let left = length
  for (const piece of all) {
    if (left > 0) content.push(piece.subarray(0, left))
    if (piece.length > left) tag.push(piece.subarray(left))
    left = Math.max(0, left - piece.length)
  }
  return { content, tag: tag.length === 1 ? tag[0]! : Buffer.concat(tag) }
}
