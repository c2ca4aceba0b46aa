import type { ContentHash } from '../base/index.js'
import { BlockCutter } from './block-cutter.js'
import { gearScan, SCAN_BYTES } from './gear.js'
import { createHasher, type Hasher, hashBytes, hashToBytes } from './hasher.js'

/**
 * Of each block's BLAKE3: two blocks that differ have the same by accident in one of 2^128 cases, and made so on purpose they
 * fail at the hash of the whole file, which is always checked.
 */
export const BLOCK_HASH_BYTES = 16

/** Some blocks of a file, one after the other. */
export interface BlockRun {
  readonly lengths: Uint32Array<ArrayBuffer>
  /** BLOCK_HASH_BYTES each. */
  readonly hashes: Uint8Array<ArrayBuffer>
}

export interface BlockReaderOptions {
  /** The hash of everything is wanted: true unless told. */
  readonly whole?: boolean
}

/** The blocks of content that comes in pieces, and the hash of the whole. Every byte is in exactly one block. */
export class BlockReader {
  readonly #cutter: BlockCutter
  readonly #whole: Hasher | undefined
  /** Of a block that began in an earlier piece. */
  #open: Hasher | undefined
  #lengths: number[] = []
  #hashes: Uint8Array[] = []

  /** @param average - see `blockAverage` */
  constructor(average: number, { whole = true }: BlockReaderOptions = {}) {
    this.#cutter = new BlockCutter(average)
    if (whole) this.#whole = createHasher()
  }

  update(piece: Uint8Array): void {
    this.#whole?.update(piece)
    for (let at = 0; at < piece.length; at += SCAN_BYTES) this.#cut(piece.subarray(at, at + SCAN_BYTES))
  }

  #cut(piece: Uint8Array): void {
    gearScan().hold(piece)
    for (let from = 0; from < piece.length; ) {
      const before = this.#cutter.openBytes
      const end = this.#cutter.next(piece.length, from)
      const bytes = piece.subarray(from, end < 0 ? piece.length : end)
      if (end < 0) {
        this.#open ??= createHasher()
        this.#open.update(bytes)
        return
      }
      this.#ended(before + bytes.length, this.#open?.update(bytes).digestBytes() ?? hashToBytes(hashBytes(bytes)))
      from = end
    }
  }

  /** Blocks that ended since the last call. */
  get ready(): number {
    return this.#lengths.length
  }

  /** Takes them. */
  take(): BlockRun {
    const hashes = new Uint8Array(this.#hashes.length * BLOCK_HASH_BYTES)
    for (const [i, hash] of this.#hashes.entries()) hashes.set(hash, i * BLOCK_HASH_BYTES)
    const run = { lengths: Uint32Array.from(this.#lengths), hashes }
    this.#lengths = []
    this.#hashes = []
    return run
  }

  /** Ends the last block. @returns the hash of everything, if it was wanted */
  end(): ContentHash | undefined {
    if (this.#open !== undefined) this.#ended(this.#cutter.openBytes, this.#open.digestBytes())
    return this.#whole?.digest()
  }

  #ended(length: number, hash: Uint8Array): void {
    this.#lengths.push(length)
    this.#hashes.push(hash.subarray(0, BLOCK_HASH_BYTES))
    this.#open = undefined
  }
}
