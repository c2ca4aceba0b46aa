import type { AbortOptions, ContentHash } from '../../storage/base/index.js'
import type { BlockRun } from '../../storage/content/index.js'
import type { EntryStat } from '../../storage/files/index.js'

export interface BlocksOptions extends AbortOptions {
  /** A power of two (`isBlockAverage`); whoever compares two files cuts both alike. */
  readonly averageBytes: number
}

/** What `Endpoint.blocks` yields: the blocks of the file from its first byte to its last, then `done` once. */
export type BlockPiece =
  | ({ readonly kind: 'blocks' } & BlockRun)
  /** The file was the same from the first byte to the last; `hash` is that of the whole. */
  | { readonly kind: 'done'; readonly stat: EntryStat; readonly hash: ContentHash }

/** The first bytes of a file. */
export interface HashedStart {
  readonly hash: ContentHash
  readonly stat: EntryStat
}
