import { BLOCK_HASH_BYTES } from '../../storage/content/index.js'

/** All blocks of one file: 4 bytes and a hash each, so some 1.2 MiB for a file of 4 GiB. */
export interface BlockList {
  readonly lengths: Uint32Array
  /** BLOCK_HASH_BYTES each. */
  readonly hashes: Uint8Array
}

/** A key for maps; what comes from another device cannot make many of them fall into one place. */
export const blockKey = ({ hashes }: BlockList, index: number): string =>
  Buffer.from(hashes.buffer, hashes.byteOffset + index * BLOCK_HASH_BYTES, BLOCK_HASH_BYTES).toString('latin1')
