/**
 * Noise's packets (`noise-packets.ts`) sealed and opened by storage/ciphers, in the memory that they say. The library keeps the
 * keys and counts the nonces. Content passes here once more after it was sealed for the transfer, on the event loop: what this
 * costs bounds how fast a device sends.
 */
import { aead } from '../../storage/ciphers/index.js'

/** The content of a packet, and where it goes sealed. */
export class PacketOut {
  readonly #from: readonly Uint8Array[]
  readonly #into: Uint8Array
  readonly #tag: Uint8Array

  /** @param into - as long as all of `from` */
  constructor(from: readonly Uint8Array[], into: Uint8Array, tag: Uint8Array) {
    this.#from = from
    this.#into = into
    this.#tag = tag
  }

  seal(nonce: Uint8Array, aad: Uint8Array, key: Uint8Array): void {
    aead('chacha20-poly1305').seal({ key, nonce, aad }, this.#from, this.#into, this.#tag)
  }
}

/** A packet as it came: opened where it lies. */
export class PacketIn {
  readonly content: readonly Uint8Array[]
  readonly #tag: Uint8Array

  constructor(content: readonly Uint8Array[], tag: Uint8Array) {
    this.content = content
    this.#tag = tag
  }

  /** @throws when it was changed; then nothing of the content may be used */
  open(nonce: Uint8Array, aad: Uint8Array, key: Uint8Array): void {
    if (!aead('chacha20-poly1305').open({ key, nonce, aad }, this.content, 'in place', this.#tag))
      throw new Error('a packet was changed on the way')
  }
}

/** What @chainsafe/libp2p-noise does its ciphers with: a message of its handshake, or one of our packets. */
export interface NoiseCipher {
  encrypt(content: unknown, nonce: Uint8Array, aad: Uint8Array, key: Uint8Array): unknown
  decrypt(sealed: unknown, nonce: Uint8Array, aad: Uint8Array, key: Uint8Array, into?: Uint8Array): unknown
}

/** @returns false: the encrypter is of another make, and is left as it is */
export function ciphersPackets(encrypter: object): boolean {
  const { crypto } = encrypter as { crypto?: Partial<NoiseCipher> }
  if (typeof crypto?.encrypt !== 'function' || typeof crypto.decrypt !== 'function') return false
  Object.assign(encrypter, { crypto: { ...crypto, ...packetCipher(crypto as NoiseCipher) } })
  return true
}

/** @param handshake - for what is no packet of ours */
export const packetCipher = (handshake: NoiseCipher): NoiseCipher => ({
  encrypt: (content, nonce, aad, key) =>
    content instanceof PacketOut ? content.seal(nonce, aad, key) : handshake.encrypt(content, nonce, aad, key),
  decrypt: (sealed, nonce, aad, key, into) =>
    sealed instanceof PacketIn ? sealed.open(nonce, aad, key) : handshake.decrypt(sealed, nonce, aad, key, into)
})
