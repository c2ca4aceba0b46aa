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

/** Content in one piece, or in several that follow each other. */
export type Pieces = Uint8Array | readonly Uint8Array[]

export interface Aead {
  /** Seals `from` into `into`, which is as long and may be the same memory (where that is in one piece), and writes the tag. */
  seal(parameters: AeadParameters, from: Pieces, into: Uint8Array, tag: Uint8Array): void
  /**
   * @param into - as long as `from` and may be the same memory; or each piece is opened where it lies
   * @returns whether the tag fits; where it does not, what it was opened into holds nothing of meaning
   */
  open(parameters: AeadParameters, from: Pieces, into: Uint8Array | 'in place', tag: Uint8Array): boolean
}

export const piecesOf = (from: Pieces): readonly Uint8Array[] => (from instanceof Uint8Array ? [from] : from)

/** Of all of them together. */
export const lengthOf = (from: Pieces): number =>
  from instanceof Uint8Array ? from.length : from.reduce((sum, piece) => sum + piece.length, 0)
