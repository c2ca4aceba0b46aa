import type { Problem, RelPath } from '../base/index.js'
import type { Seen } from '../entries/index.js'

/**
 * What a slice of a walk saw, as it goes to the writer thread: columns in typed arrays, so that a hundred thousand entries a
 * second cross the event loop as a few buffers. One head a directory, its entries in a row.
 */
export interface Batch extends Columns {
  readonly heads: readonly Head[]
  /** Directories of this batch that are referred to before they have an id: entry, and the (negative) number standing for it. */
  readonly refEntries: Int32Array
  readonly refs: Float64Array
}

export interface Columns {
  /** Names one after another; `ends[i]` is where the name of entry i ends. */
  readonly names: Uint8Array
  readonly ends: Uint32Array
  /** Four an entry: mtime, ctime, birth (ns), inode. */
  readonly stats: BigInt64Array
  readonly sizes: Float64Array
  readonly modes: Int32Array
  /** kind, type and flags, see `mark`. */
  readonly marks: Int32Array
}

/**
 * How a directory was looked at: its whole listing; a stretch of the names of a huge one (`range`), after the last of which
 * comes `listed`; some of its names; or it could not be listed.
 */
export type HeadKind = 'whole' | 'range' | 'listed' | 'names' | 'failed'

/** Every possible name from `from` on (null: the first) and before `to` (null: to the end), in the order of their bytes. */
export interface NameRange {
  readonly from: Uint8Array | null
  readonly to: Uint8Array | null
}

export interface Head {
  readonly kind: HeadKind
  /** Entry id, or a negative number of `refs`. */
  readonly directory: number
  /** Where it was looked at, below the location. */
  readonly rel: RelPath
  /** First entry and number of entries in the columns. */
  readonly first: number
  readonly count: number
  /** Milliseconds when the look began. */
  readonly at: number
  /** The directory's own stat, taken before it was listed. */
  readonly self: DirectoryStat | null
  readonly device: bigint
  /** Of a whole listing. */
  readonly digest: Uint8Array | null
  /** Of kind `range`. */
  readonly range: NameRange | null
  /** Names looked for and not there (kind `names`). */
  readonly absent: readonly Uint8Array[]
  readonly problem: Problem | null
}

export interface DirectoryStat {
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
  readonly birthNs: bigint
  readonly inode: bigint
  readonly mode: number
}

/** The memory of a batch, to be handed from thread to thread instead of copied. */
export function buffersOf({ names, ends, stats, sizes, modes, marks }: Columns): ArrayBuffer[] {
  return [names, ends, stats, sizes, modes, marks].map(column => column.buffer as ArrayBuffer)
}

/** Bits: 2 for the kind, 6 for the type, the rest flags. */
export const mark = (kind: number, type: number, flags: number): number => kind | (type << 2) | (flags << 8)

export const markKind = (m: number): number => m & 3
export const markFlags = (m: number): number => m >> 8

/** Entry `i` of a batch. The name is a view: whoever keeps it copies it. */
export function seenAt(batch: Columns, i: number, device: bigint): Seen {
  const m = batch.marks[i]!
  return {
    name: nameAt(batch, i),
    kind: m & 3,
    type: (m >> 2) & 63,
    size: batch.sizes[i]!,
    mtimeNs: batch.stats[4 * i]!,
    ctimeNs: batch.stats[4 * i + 1]!,
    birthNs: batch.stats[4 * i + 2]!,
    inode: batch.stats[4 * i + 3]!,
    device,
    mode: batch.modes[i]!,
    flags: m >> 8
  }
}

export function nameAt(batch: Columns, i: number): Uint8Array {
  return batch.names.subarray(i === 0 ? 0 : batch.ends[i - 1]!, batch.ends[i]!)
}
