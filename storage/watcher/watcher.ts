import type { AbsPath, PlainError, RelPath } from '../base/index.js'

/**
 * - `folders`: one inotify watch a directory (Linux); files cost nothing;
 * - `chokidar`: a watch a file; `polling`: chokidar asking for every stat, for network drives;
 * - `parcel`: FSEvents on macOS;
 * - `walk`: no events at all: everything is looked at every 30 s.
 */
export const WATCH_BACKENDS = ['folders', 'chokidar', 'polling', 'parcel', 'walk'] as const
export type WatchBackend = (typeof WATCH_BACKENDS)[number]

/** Something may have changed there. A hint: who gets it looks at the disk. */
export interface WatchChange {
  readonly path: RelPath
  /** Everything below may have changed too: new folders, renamed ones, lost events. */
  readonly subtree: boolean
}

/** How much of a tree is watched by events. */
export interface WatchCoverage {
  /** False: the folders in `uncovered` (and all below them) are walked every 30 s instead. */
  readonly complete: boolean
  readonly uncovered: readonly RelPath[]
  /** Why, and what the person can do: the system's limit on watches. */
  readonly problem: PlainError | null
}

export interface WatchListener {
  /** One batch; the next comes when this has settled, with what gathered meanwhile. Rejections are the listener's own business. */
  changes(batch: readonly WatchChange[]): Promise<void>
  coverage(coverage: WatchCoverage): void
  /** The root is gone, was replaced or unmounted. Nothing more comes; `stop` is still to be called. */
  rootLost(): void
}

export interface WatchRequest {
  /** A real path: no component of it is a symlink. */
  readonly root: AbsPath
  readonly backend: WatchBackend
}

export interface Watch {
  readonly backend: WatchBackend
  stop(): Promise<void>
}

/** The port: storage/locations knows nothing else of watching. */
export interface Watcher {
  /**
   * Resolves when everything below the root is watched, or as much as can be: a scan begun after that misses nothing.
   * @throws {SpacedriveError} WATCH_FAILED when the root itself cannot be watched; the disk's error when it is not there
   */
  watch(request: WatchRequest, listener: WatchListener): Promise<Watch>
}
