import type { AbortOptions, ContentHash } from '../../storage/base/index.js'
import type { BlockRun } from '../../storage/content/index.js'
import type { EntryStat } from '../../storage/files/index.js'

export interface BlocksOptions extends AbortOptions {
  /** A power of two (`isBlockAverage`); whoever compares two files cuts both alike. */
  readonly averageBytes: number
  /** The list begins there, as if the file did, and no hash of the whole is made: for who knows what lies before it. */
  readonly fromBytes?: number | undefined
}

/** What `Endpoint.blocks` yields: the blocks of the file from its first byte (or `fromBytes`) to its last, then `done` once. */
export type BlockPiece =
  | ({ readonly kind: 'blocks' } & BlockRun)
  /** The file was the same from the first byte to the last; `hash` is that of the whole, unless the list had a `fromBytes`. */
  | { readonly kind: 'done'; readonly stat: EntryStat; readonly hash?: ContentHash | undefined }

/** The first bytes of a file. */
export interface HashedStart {
  readonly hash: ContentHash
  readonly stat: EntryStat
}
