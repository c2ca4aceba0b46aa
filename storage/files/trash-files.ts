import type { AbortOptions, AbsPath, Problem } from '../base/index.js'
import type { EntryStat, Expected } from './fingerprint.js'

/**
 * The disk's side of the trash: folders ("bins") of ours, each on the file system of what it keeps, so that throwing
 * something away and taking it back are one rename each. storage/trash keeps the rows and decides when to empty.
 *
 *   BIN/<batch>/manifest.jsonl    what was thrown away together, one line an item, durable before the first of them moves
 *   BIN/<batch>/0, 1, 2 ...       the items; `0.gone` is one that is being removed for good
 *
 * What lies there is the truth: a lost database is made anew from the manifests. An item is at its old place or in the bin,
 * never in both and never in neither, whenever the power goes.
 */
export interface TrashFiles {
  /**
   * Where things in each of these folders would be kept: in `home`, where that is on the same file system; else in
   * `.spacedrive` of the top-most folder of that file system, on the way down to it, in which this user may write. Changes
   * nothing.
   * @returns paths of bins, or problems: NO_TRASH when there is no such folder; MISSING, NO_PERMISSION
   */
  findBins(dirs: readonly AbsPath[], home: AbsPath, options?: AbortOptions): Promise<(AbsPath | Problem)[]>
  /**
   * Throws things away together: makes the bin where it is missing, writes the manifest, renames, looks at what came out.
   * What is not what was expected is put back.
   * @param batch - a UUID, new
   * @throws {SpacedriveError} NOT_PRIVATE, NO_SPACE, READ_ONLY, DISK_ERROR, BATCH_TOO_LARGE
   */
  put(bin: AbsPath, batch: TrashBatchHeader, items: readonly TrashItem[], options?: AbortOptions): Promise<PutResult[]>
  /** Gives items back their names; parents that are gone are made. */
  takeBack(bin: AbsPath, items: readonly TakeBack[], options?: AbortOptions): Promise<TakeBackResult[]>
  /**
   * Removes an item for good, a stretch at a time: to be called again until `done`. From the first call on it counts as gone.
   * @returns what this call removed
   */
  remove(bin: AbsPath, item: TrashAddress, options?: AbortOptions): Promise<RemovedStretch>
  /**
   * What lies in the bin, batch by batch, those in `skip` left out; completes what a crash interrupted.
   * @throws {SpacedriveError} NO_BIN when there is no such folder (the volume is away)
   */
  read(bin: AbsPath, skip: readonly string[], options?: AbortOptions): Promise<FoundBatch[]>
}

export interface TrashAddress {
  /** Of the batch. */
  readonly batch: string
  readonly n: number
}

export interface TrashBatchHeader {
  readonly id: string
  readonly atMs: number
  /** What it was thrown away by: `file.delete`, `file.copy`. */
  readonly command: string
  readonly job: string | null
}

/** Something to throw away. */
export interface TrashItem {
  /** Where it lies now: a real path but for the last name, which is never followed. */
  readonly at: AbsPath
  /** Where it belongs, when that is another place: a file that a copy moved aside. `at` unless told. */
  readonly origin?: AbsPath | undefined
  /** What the caller saw there. Not so any more: CHANGED, and it stays. */
  readonly expected: Expected
  /** Files and bytes below a directory, where the caller counted them. */
  readonly files?: number | undefined
  readonly bytes?: number | undefined
}

export type PutResult =
  | {
      readonly done: true
      readonly n: number
      readonly stat: EntryStat
      readonly files: number
      readonly bytes: number
    }
  /** It is where it was; with `kept` it lies in the bin, since something else has taken its name meanwhile. */
  | { readonly done: false; readonly problem: Problem; readonly kept?: Extract<PutResult, { done: true }> }

export interface TakeBack extends TrashAddress {
  /** The name wanted; `name (1)` when something stands there. */
  readonly to: AbsPath
}

export type TakeBackResult =
  | { readonly done: true; readonly path: AbsPath; readonly stat: EntryStat }
  | { readonly done: false; readonly problem: Problem }

export interface RemovedStretch {
  readonly done: boolean
  readonly files: number
  readonly bytes: number
  /** What could not be removed; then `done` is true when there is nothing left to try. */
  readonly problems: readonly Problem[]
}

/** A batch as the disk tells it. */
export interface FoundBatch extends TrashBatchHeader {
  readonly items: readonly FoundItem[]
  /** Being removed for good when the program ended. */
  readonly going: readonly number[]
  /** Its manifest cannot be read: it is left alone. */
  readonly problem?: Problem
}

export interface FoundItem extends ManifestItem {
  readonly n: number
}

/** One line of a manifest. */
export interface ManifestItem {
  readonly origin: AbsPath
  readonly kind: EntryStat['kind']
  readonly sizeBytes: number
  readonly files: number
}

/** Items of one batch: bounds the manifest and what one error makes us look at again. */
export const MAX_TRASH_BATCH = 1000
