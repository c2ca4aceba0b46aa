import type { AbortOptions, AbsPath, JobId, Problem, Startable } from '../base/index.js'
import type { EntryKind, TrashItem } from '../files/index.js'

/** Something in the trash. */
export interface TrashEntry {
  readonly id: number
  /** Where it was. */
  readonly path: AbsPath
  readonly kind: EntryKind
  /** Of all that is in it. */
  readonly files: number
  readonly bytes: number
  readonly deletedAtMs: number
  /** `file.delete`, `file.copy` ... */
  readonly command: string
  readonly job: JobId | null
  /** The folder it lies in; null while its volume is away. */
  readonly bin: AbsPath | null
  /** The thing itself in there: to be looked at, never to be changed. */
  readonly lies: AbsPath | null
  /** The place that it would get back: `path`, or where that is now when its volume is mounted elsewhere. */
  readonly back: AbsPath
}

export interface ThrowOptions extends AbortOptions {
  readonly command: string
  readonly job?: JobId | undefined
}

/** What became of one thing that was to be thrown away. */
export type ThrownAway =
  | { readonly done: true; readonly id: number; readonly files: number; readonly bytes: number }
  /** It is where it was; `id`: it lies in the trash after all, since something else took its name meanwhile. */
  | { readonly done: false; readonly problem: Problem; readonly id?: number }

export interface TrashFilter {
  /** Only what was at this path or below it. */
  readonly path?: AbsPath | undefined
  readonly job?: JobId | undefined
  readonly ids?: readonly number[] | undefined
  /** Thrown away before that time. */
  readonly beforeMs?: number | undefined
  /** What came later than the thing with this id is left out; ids are never given twice. */
  readonly uptoId?: number | undefined
}

export interface TrashPage {
  /** Newest first. */
  readonly entries: readonly TrashEntry[]
  /** Of all that the filter lets through. */
  readonly totals: TrashTotals
  /** The highest id of those; 0 when there are none. */
  readonly lastId: number
}

export interface TrashTotals {
  readonly items: number
  readonly files: number
  readonly bytes: number
}

export type Restored =
  | {
      readonly done: true
      readonly id: number
      readonly from: AbsPath
      readonly path: AbsPath
      readonly files: number
      readonly bytes: number
    }
  | { readonly done: false; readonly id: number; readonly problem: Problem }

export interface Emptied extends TrashTotals {
  readonly problems: readonly Problem[]
}

/**
 * What was deleted or replaced, for as long as it is kept. One trash a volume (see `TrashFiles.findBins`); each thing is at
 * its old place or in the trash, whenever the power goes.
 */
export interface Trash extends Startable {
  /**
   * Where things in these folders would go, in their order: for previews.
   * @returns the bin's path, or the problem (NO_TRASH: only removing for good is left)
   */
  binsFor(dirs: readonly AbsPath[], options?: AbortOptions): Promise<readonly (AbsPath | Problem)[]>
  /**
   * Throws things away; durable on return. What is not as `expected` stays and is a problem of its own.
   * @param items - at most 1,000 (MAX_TRASH_BATCH). Real paths; none of our own places, mounts or roots: that is the caller's
   *   to check
   */
  put(items: readonly TrashItem[], options: ThrowOptions): Promise<readonly ThrownAway[]>
  /** @param options.limit - at most 10,000; the totals are of all */
  list(filter?: TrashFilter, options?: { limit?: number; offset?: number } & AbortOptions): Promise<TrashPage>
  /**
   * Gives things back their old place, `name (1)` where something stands there. One after the other in the order of `ids`,
   * so that a folder named before what lay in it comes back whole.
   * @param options.to - into this folder instead, under their old names
   */
  restore(ids: readonly number[], options?: { to?: AbsPath } & AbortOptions): Promise<readonly Restored[]>
  /** Removes for good what the filter lets through; what is on volumes that are away stays. */
  remove(filter: TrashFilter, options?: RemoveOptions): Promise<Emptied>
  /** Removes what was kept long enough, and the oldest where the trash takes more of a volume than it may. */
  sweep(options?: AbortOptions): Promise<Emptied>
}

export interface RemoveOptions extends AbortOptions {
  /** Stops after so many. */
  readonly limit?: number | undefined
  readonly onProgress?: ((soFar: TrashTotals) => void) | undefined
}
