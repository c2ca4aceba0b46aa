export type AeadName = 'aes-256-gcm' | 'chacha20-poly1305'

export const KEY_BYTES = 32
export const NONCE_BYTES = 12
export const TAG_BYTES = 16

export interface AeadParameters {
  /** KEY_BYTES. */
  readonly key: Uint8Array
  /** NONCE_BYTES; never twice with one key. */
  readonly nonce: Uint8Array
  /** What the tag vouches for beside the content. */
  readonly aad: Uint8Array
}

export interface Aead {
  /** Seals `from` into `into`, which is as long and may be the same memory, and writes the tag. */
  seal(parameters: AeadParameters, from: Uint8Array, into: Uint8Array, tag: Uint8Array): void
  /** @returns whether the tag fits; where it does not, what `into` holds now means nothing */
  open(parameters: AeadParameters, from: Uint8Array, into: Uint8Array, tag: Uint8Array): boolean
}
