import type { ContentHash, FileName } from '../base/index.js'
import type { ContentKind, EntryKind } from './flags.js'

/** One row of the index, as plain values. `id` is stable over edits and moves and never given twice in one library. */
export interface Entry {
  readonly id: number
  /** Negative for the root of a tree, whose `name` is its absolute path. */
  readonly parent: number
  readonly name: FileName
  readonly kind: EntryKind
  readonly type: ContentKind
  readonly sizeBytes: number
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
  /** 0n where the file system keeps none. */
  readonly birthNs: bigint
  readonly inode: bigint
  readonly device: bigint
  readonly mode: number
  /** Bits of FLAG. */
  readonly flags: number
  readonly hash: ContentHash | null
  readonly seq: number
  /** Number of a replica (table `replicas`) -> counter, below a synced location. */
  readonly version: Readonly<Record<string, number>> | null
}

/** A point in the life of an index. Who meets another `index` than before compares everything. */
export interface Generation {
  readonly index: string
  readonly seq: number
}

/** One line of "changed since N", in order of seq: the entry as it is now, or that it is gone. */
export type ChangedEntry =
  | { readonly change: 'present'; readonly entry: Entry }
  | {
      readonly change: 'gone'
      readonly id: number
      readonly parent: number
      readonly name: FileName
      readonly kind: EntryKind
      readonly seq: number
      readonly version: Readonly<Record<string, number>> | null
    }
