import type { AbsPath, JobId, LibraryId, LocationId, PlainError, RelPath, Startable } from '../base/index.js'
import type { IndexMode, IndexRules, IndexScope } from '../indexer/index.js'
import type { Library } from '../libraries/index.js'
import type { VolumeId } from '../volumes/index.js'
import type { WatchBackend } from '../watcher/index.js'

/** What a location is doing. */
export type Activity = 'pending' | 'scanning' | 'idle' | 'paused' | 'error' | 'offline'
/**
 * How well its index holds: `fresh` (looked at, and watched since), `partial` (a part is not watched, or the last look did not
 * end), `stale` (looked at a while ago and not watched, or offline), `unknown` (never looked at whole).
 */
export type Freshness = 'fresh' | 'partial' | 'stale' | 'unknown'

/** A row of `locations`, typed. */
export interface Location {
  readonly id: LocationId
  /** `locations.id`. */
  readonly number: number
  readonly path: AbsPath
  readonly name: string
  /** Its entry in the index; null until it was first looked at. */
  readonly entry: number | null
  readonly root: RootIdentity | null
  readonly volume: VolumeId | null
  readonly volumePath: RelPath | null
  readonly mode: IndexMode
  readonly watch: boolean
  readonly rules: IndexRules
  readonly versioned: boolean
  readonly activity: Activity
  readonly freshness: Freshness
  readonly problem: { readonly code: string; readonly message: string } | null
  readonly lastScanAt: number | null
  readonly lastFullScanAt: number | null
  readonly addedAt: number
}

/** What tells a folder from another at the same path. 0n: the file system keeps no time of birth. */
export interface RootIdentity {
  readonly inode: bigint
  readonly birthNs: bigint
}

export interface LocationInfo {
  readonly id: LocationId
  readonly library: LibraryId
  readonly libraryName: string
  readonly name: string
  readonly path: AbsPath
  readonly mode: IndexMode
  readonly rules: IndexRules
  readonly watch: boolean
  /** How it is watched now; null: not at all. `outer`: by the location around it. */
  readonly watchedBy: WatchBackend | 'outer' | null
  readonly activity: Activity
  readonly freshness: Freshness
  readonly files: number
  readonly directories: number
  readonly bytes: number
  /** Entries that could not be handled, as of now. */
  readonly problems: number
  /** What the location itself suffers from: offline, no more watches. With the cure. */
  readonly problem: PlainError | null
  readonly lastScanAt: number | null
  readonly addedAt: number
  /** The job that indexes it, while there is one. */
  readonly job: JobId | null
}

/** How a location is right now, from memory alone. */
export type LocationState = Pick<LocationInfo, 'id' | 'library' | 'path' | 'watchedBy' | 'activity' | 'freshness'>

export interface NewLocation {
  readonly path: AbsPath
  /** The folder's name unless said otherwise. */
  readonly name?: string | undefined
  /** `content` unless said otherwise. */
  readonly mode?: IndexMode | undefined
  /** True unless said otherwise. */
  readonly watch?: boolean | undefined
  readonly rules?: LocationChanges['rules']
}

export interface LocationChanges {
  readonly name?: string | undefined
  readonly mode?: IndexMode | undefined
  readonly watch?: boolean | undefined
  /** Those given replace the old ones; null takes a limit away. */
  readonly rules?: { readonly [K in keyof IndexRules]?: IndexRules[K] | null | undefined } | undefined
}

export interface RescanOptions {
  /** Looks at every row and hashes every file again. */
  readonly force?: boolean | undefined
}

/** How a look differs from the one that keeps the whole location true. */
export interface LookOptions extends RescanOptions {
  /** The folder to look at, relative to the location; all of it when left out. */
  readonly from?: RelPath | undefined
  /** `recursive` unless said otherwise. */
  readonly scope?: IndexScope | undefined
  /** The location's unless said otherwise. */
  readonly mode?: IndexMode | undefined
  /** Folders below it that are entered. */
  readonly maxDepth?: number | undefined
}

/** The locations of all open libraries. */
export interface Locations extends Startable {
  /**
   * Begins to index a folder. Resolves when the location is stored and its job queued.
   * @throws LOCATION_EXISTS, NOT_A_FOLDER, NOT_FOUND, NO_PERMISSION, LOCATION_OURS, NO_VOLUME
   */
  add(library: Library, location: NewLocation): Promise<{ location: LocationInfo; job: JobId }>
  /** Of one library or of all open ones, in the order of adding. */
  list(library?: Library): Promise<readonly LocationInfo[]>
  /** Of all open libraries, without a look at any database: for whoever asks at every turn. */
  states(): readonly LocationState[]
  /** By id, a beginning of one of 8 letters or more, name or path, in one library or all. @throws LOCATION_NOT_FOUND, AMBIGUOUS */
  find(which: string, library?: Library): { library: Library; id: LocationId }
  /** @throws LOCATION_NOT_FOUND */
  info(id: LocationId): Promise<LocationInfo>
  /** @returns the job that looks at it anew, when the change asks for it */
  update(id: LocationId, changes: LocationChanges): Promise<{ location: LocationInfo; job: JobId | null }>
  /** @throws LOCATION_OFFLINE */
  rescan(id: LocationId, options?: RescanOptions): Promise<JobId>
  /** Looks at a part of it, or once in another mode; at all of it as it always is, that is `rescan`. @throws LOCATION_OFFLINE */
  look(id: LocationId, options?: LookOptions): Promise<JobId>
  /** Takes it and its rows out of the index; files, tags and notes stay. @throws LOCATION_IN_USE for one that a sync stands on */
  remove(id: LocationId): Promise<void>
}
