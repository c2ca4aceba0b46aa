import type { AbortOptions, ContentHash, Problem, RelPath } from '../../storage/base/index.js'
import type { EntryStat } from '../../storage/files/index.js'

/** A stretch of a file. */
export interface ByteRange {
  readonly fromBytes: number
  readonly lengthBytes: number
}

export interface ReadOptions extends AbortOptions {
  /** In ascending order, not overlapping; the whole file unless given. */
  readonly ranges?: readonly ByteRange[] | undefined
  /** Memory of pieces that the reader is done with, put here by it: later pieces may come in it. */
  readonly spent?: ArrayBufferLike[] | undefined
  /**
   * Pieces may lie in places that other threads see as well (`shared-places.ts`), which is cheaper: for who reads them where they lie
   * and gives each back (`givePlace`) once it is done with it.
   */
  readonly shared?: boolean | undefined
  /** The hash of what is read is wanted with `done`. An end that makes it says so with `opened`. */
  readonly hashed?: boolean | undefined
}

/**
 * What `Endpoint.read` yields, in order: `opened` once, then data and holes that together are exactly the ranges asked for (or
 * the whole file), then `done` once.
 *
 * Whoever keeps the content must wait for `done`: a file that was written to meanwhile ends in CHANGED_WHILE_READING instead.
 */
export type ReadPiece =
  | { readonly kind: 'opened'; readonly stat: EntryStat; readonly hashed?: true | undefined }
  /** At most READ_PIECE_BYTES, a buffer of its own: it may be handed over, unless it was asked for as `shared`. */
  | { readonly kind: 'data'; readonly atBytes: number; readonly bytes: Uint8Array }
  /** Zeros that take no place on the disk, at most MAX_HOLE_BYTES. Only told by ends that know; others send them as data. */
  | { readonly kind: 'hole'; readonly atBytes: number; readonly lengthBytes: number }
  /** The stat after the last byte: size, mtime, ctime and inode are those of `opened`. `hash`: BLAKE3 of all that was yielded. */
  | { readonly kind: 'done'; readonly stat: EntryStat; readonly hash?: ContentHash | undefined }

export interface ReadPackOptions extends AbortOptions {
  /**
   * A place (`shared-places.ts`) for the pack, which then holds what fits into it. An end that reads into it hands it back as the
   * memory of `ReadPack.data`; one that does not leaves it as it is.
   */
  readonly into?: SharedArrayBuffer | undefined
}

/** Several whole small files in one buffer: made for `EndpointStage.write`. */
export interface ReadPack {
  readonly data: Uint8Array
  /** As many of the paths asked for as fit, from the first on, in their order; at least one. Ask again for the rest. */
  readonly files: readonly PackedFile[]
}

export type PackedFile =
  | {
      readonly path: RelPath
      readonly offset: number
      readonly length: number
      readonly hash: ContentHash
      /** Looked at before and after reading; both were the same. */
      readonly stat: EntryStat
      readonly problem?: undefined
    }
  /** TOO_LARGE for this way (read it by `read`), CHANGED_WHILE_READING, MISSING, NOT_A_FILE, NO_PERMISSION ... */
  | { readonly path: RelPath; readonly problem: Problem }

/** What `Endpoint.hash` yields for each file. */
export type HashedFile =
  | {
      readonly path: RelPath
      readonly hash: ContentHash
      /** The stat that belongs to it. */
      readonly stat: EntryStat
      /** The stat lies too near the reading to vouch for the hash later on: hash again at the next look (SYNC.md 1). */
      readonly racy: boolean
      readonly problem?: undefined
    }
  | { readonly path: RelPath; readonly problem: Problem }
