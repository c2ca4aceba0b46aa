import type { AbortOptions, RelPath } from '../../storage/base/index.js'
import type { Capabilities, Marker, PlaceResult, PlaceStep } from '../../storage/files/index.js'
import type { FollowedPage, FollowOptions } from './following.js'
import type { EndpointKept } from './kept.js'
import type { EndpointStage } from './stage.js'
import type { EndVectors, StepNote } from './vectors.js'

/**
 * What a sync does at an end beside looking and reading, where that end lies on another device: it was opened for one sync
 * that a person there has accepted, and stands for nothing else. The end that serves judges by its own guards, keeps what is
 * replaced or deleted in its own versions, and lets the driver switch off neither (PEERS.md 8).
 */
export interface EndpointSync {
  /** Undefined: this sync writes nothing there, or that device is of a release that does not tell of it. */
  readonly kept?: EndpointKept | undefined
  /** What `.spacedrive/root.json` says there, of this sync alone; nothing is written. @throws {SpacedriveError} MARKER_DAMAGED */
  marker(options?: AbortOptions): Promise<Marker | undefined>
  /**
   * Opens it for writing: what a crash left is completed or taken back, what it had moved aside comes into the versions.
   * @throws {SpacedriveError} READ_ONLY, NO_PERMISSION, NOT_RECOVERED, NOT_GRANTED, BUSY (another sync works there)
   */
  open(options?: AbortOptions): Promise<SyncedEnd>
  /**
   * Paths that may have changed, as they are told there, until `signal` aborts. The first page comes once it is watched.
   * @throws {SpacedriveError} what ends it: ROOT_MOVED, UNREACHABLE
   */
  watch(options?: AbortOptions): AsyncIterable<WatchedPage>
  /**
   * What changed there since it was asked last: it looks at its disk, and tells only what is otherwise than it told then.
   * @throws {SpacedriveError} what ends it: ROOT_MOVED, UNREACHABLE; what came until then is not all
   */
  follow(options?: FollowOptions): AsyncIterable<FollowedPage>
}

/** Some of what was told of a folder. */
export interface WatchedPage {
  readonly changes: readonly { readonly path: RelPath; readonly subtree: boolean }[]
  /** Why not all that changes is seen at once, in words with the cure. */
  readonly note?: string | undefined
}

/** An end of a sync that is open for writing. */
export interface SyncedEnd {
  readonly capabilities: Capabilities
  /** Versions of what lies there; undefined: that device keeps none. */
  readonly vectors?: EndVectors | undefined
  /** The staging place of this sync there; what lies in it from before stays. @throws {SpacedriveError} GUARD: nothing was announced */
  stage(options?: AbortOptions): Promise<EndpointStage>
  /**
   * What a run is about to take away there: judged before anything is done; what is placed may not go beyond it.
   * @throws {SpacedriveError} GUARD: its person has to say yes first
   */
  announce(run: AnnouncedRun, options?: AbortOptions): Promise<void>
  /** Sets the number of the batch in the marker; durable on return. */
  count(sync: string, batch: number, options?: AbortOptions): Promise<Pick<Marker, 'root'>>
  /** `Endpoint.place` or `placeGroup`; what is replaced or removed was written down before, and is kept afterwards. */
  place(batch: KeptBatch, options?: AbortOptions): Promise<readonly PlaceResult[]>
  /**
   * This device gets on with the run, where that one sees nothing of it: it reads what lies here. It may be called as often as one
   * likes, and is told now and then. Left out: that end asks for no such word.
   */
  gotOn?(): void
  /**
   * @param options.done - what is left in the staging place is not wanted any more
   * @param options.settled - all of both ends was looked at, and nothing is left over
   */
  close(options?: { readonly done?: boolean | undefined; readonly settled?: boolean | undefined }): Promise<void>
}

/** Of a plan, at one end. */
export interface AnnouncedRun {
  readonly run: string
  readonly removed: number
  /** Of `removed`: loose objects of git repositories that stay, which the guard of deletions does not count. */
  readonly repacked: number
  readonly replaced: number
  readonly directoriesRemoved: number
}

export interface KeptBatch {
  readonly run: string
  readonly steps: readonly PlaceStep[]
  /** Why, in a word: one for each step. */
  readonly why: readonly string[]
  /** For each step of kind `attributes`, what was so before the run put anything into that folder; else null. */
  readonly was: readonly ({ readonly mode: number; readonly mtimeNs: bigint } | null)[]
  /** All or nothing: the number of the group in its run. */
  readonly group?: number | undefined
  /** One for each step; undefined: no versions are kept for this sync. */
  readonly notes?: readonly StepNote[] | undefined
}
