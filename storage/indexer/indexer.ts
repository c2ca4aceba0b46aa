import type { AbortOptions, AbsPath, LocationId, Problem, ProgressFields, RelPath } from '../base/index.js'
import type { Library } from '../libraries/index.js'
import type { Browsed } from './browse.worker.js'
import type { BrowseRequest } from './ephemeral.js'

export type IndexMode = 'shallow' | 'content' | 'deep'
export type IndexScope = 'current' | 'recursive'
export type IndexPhaseName = 'Discovery' | 'Processing' | 'Aggregation' | 'Content' | 'Deep' | 'Complete'

/** They flag and never omit: an excluded file is a row with a flag, an excluded directory a row marked as not entered. */
export interface IndexRules {
  /** Names that begin with a dot are searched and hashed, such directories entered. Default false. */
  readonly hidden: boolean
  /** Likewise what operating systems leave about. Default false. */
  readonly system: boolean
  /** Larger files are not hashed and not searched. */
  readonly maxSizeBytes?: number
  /** Only these extensions (lower case, no dot). */
  readonly extensions?: readonly string[]
  /** Patterns with gitignore meaning, relative to the location. */
  readonly ignore: readonly string[]
  /** `.gitignore` files count. Default false. */
  readonly gitignore: boolean
  /** `.spacedriveignore` files count. Default true. */
  readonly spacedriveignore: boolean
}

/** A row of `locations` as the indexer needs it; storage/locations makes it. */
export interface IndexLocation {
  readonly id: LocationId
  /** `locations.id`. */
  readonly number: number
  readonly path: AbsPath
  readonly mode: IndexMode
  readonly rules: IndexRules
  /** A sync stands on it: walked whole, entries carry versions. */
  readonly versioned: boolean
}

export interface IndexRequest {
  readonly library: Library
  readonly location: IndexLocation
  /** Default: the location's. */
  readonly mode?: IndexMode
  readonly scope?: IndexScope
  /** Where to begin, relative to the location; default its root. */
  readonly from?: RelPath
  readonly maxDepth?: number
  /** Looks at every row and hashes every file again, whatever the stats say. */
  readonly force?: boolean
  /** Enters and hashes what rules would leave out (copy, sync). The flags are set all the same. */
  readonly bypassFilters?: boolean
}

/** One run of the indexer: its phases in order, to be run by a job or by `Indexer.index`. */
export interface IndexRun {
  readonly phases: readonly IndexPhase[]
  /** Plain; to be kept with the job and handed to `indexTree` to go on after a crash. */
  state(): IndexRunState
  report(): IndexReport
  /** Lets go of the location; to be called at the end whatever happened. What is not decided yet the next run decides. */
  close(): Promise<void>
}

export interface IndexRunState {
  readonly startedAt: number
  readonly done: readonly IndexPhaseName[]
  readonly report: IndexReport
}

export interface IndexPhase {
  readonly name: IndexPhaseName
  /** Can be called again after it was interrupted; what it had recorded stays and costs little to see again. */
  execute(context: IndexPhaseContext): Promise<void>
}

export interface IndexPhaseContext {
  readonly signal: AbortSignal
  progress(progress: ProgressFields): void
  problem(problem: Problem): void
}

export interface IndexReport {
  readonly files: number
  readonly directories: number
  readonly bytes: number
  readonly created: number
  readonly modified: number
  readonly moved: number
  readonly deleted: number
  readonly unchanged: number
  readonly unknown: number
  readonly hashedFiles: number
  readonly hashedBytes: number
  readonly problems: number
  /** Pictures, films and sound of which facts were read (mode deep). */
  readonly mediaFiles: number
  /** Milliseconds by phase. */
  readonly phaseMs: Readonly<Partial<Record<IndexPhaseName, number>>>
  readonly rowsRead: number
  readonly rowsWritten: number
  /** Directories whose listing was the same as last time, so that no row was looked at. */
  readonly directoriesSame: number
  /** Entries that Discovery saw, bytes that Content read; 0 where it did nothing. */
  readonly rates: { readonly itemsPerSecond: number; readonly bytesPerSecond: number }
}

export interface AppliedChanges {
  readonly created: number
  readonly modified: number
  readonly moved: number
  readonly deleted: number
  /** The index's seq after it. */
  readonly seq: number
  readonly problems: readonly Problem[]
}

export interface Indexer {
  /** Prepares a run; nothing happens before its first phase is executed. One run a location at a time: LOCATION_BUSY. */
  indexTree(request: IndexRequest, resume?: IndexRunState): IndexRun
  /** Runs all phases. @throws LOCATION_OFFLINE when the root is not there (its entries stay), `signal.reason` */
  index(request: IndexRequest, options?: IndexOptions): Promise<IndexReport>
  /**
   * Looks at single paths (relative to the location) and records what is there now: created, changed, moved, gone. A path
   * that is a directory is compared with its listing; `subtree` ones are walked whole (a watcher that lost events).
   * In mode content or deep the files are hashed afterwards, in the background. Paths reported together are paired as
   * moves; a path whose other half comes in a later call is paired by its inode then.
   * @throws LOCATION_OFFLINE when the root is not there: nothing is taken for deleted
   */
  applyChanges(
    library: Library,
    location: IndexLocation,
    changes: readonly { path: RelPath; subtree?: boolean }[],
    options?: AbortOptions
  ): Promise<AppliedChanges>
  /** Takes a location's rows out of the index, except those another location covers. Files and metadata are not touched. */
  forget(library: Library, location: IndexLocation, options?: AbortOptions): Promise<void>
  /** Looks into a folder without recording anything; held in memory for a while, bounded. */
  browse(request: BrowseRequest, options?: AbortOptions): Promise<Browsed>
  /** Resolves when no hashing and no name indexing is left to do for that library. */
  settled(library: Library): Promise<void>
  /** Ends what goes on in the background for a library that is to be closed (LibraryManager.beforeClose). */
  closing(library: Library): Promise<void>
}

export interface IndexOptions extends AbortOptions {
  onProgress?: (progress: ProgressFields & { phase: IndexPhaseName }) => void
  onProblem?: (problem: Problem) => void
}
