import type { AbortOptions, AbsPath, ContentHash, FileName, Problem, RelPath } from '../base/index.js'
import type { Capabilities } from './capabilities.js'
import type { SourceHandle } from './copy-looks.js'
import type { EntryStat, Expected } from './fingerprint.js'
import type { KeepAside, KeptAside } from './keep-aside.js'
import type { Marker } from './marker.js'
import type { StagedHow } from './place-batch.js'
import type { PlaceResult, PlaceStep, StagedSource } from './place-steps.js'
import type { Doomed, RemovedForGood } from './remove-for-good.js'
import type { RootHandle } from './root.js'
import type { Staging } from './staging.js'
import type { TrashFiles } from './trash-files.js'
import type { StoredContent, VersionList } from './version-area.js'

/** Access to the disk for one daemon; made once by node/compose.ts. Work happens in workers. */
export interface Files {
  /**
   * Opens a folder of this device in which names will change. The path itself may lead over symlinks (it is the person's
   * word); below it none is ever followed. What is probed is remembered per file system.
   * @param options.create - makes the folder if its parent exists
   * @throws {SpacedriveError} MISSING, LINK_IN_PATH (no directory), NO_PERMISSION, READ_ONLY; the last two also at the first
   *   `openStaging`, where the file system was known already
   */
  openRoot(path: AbsPath, options?: { create?: boolean } & AbortOptions): Promise<FileRoot>
  /** The disk's side of the trash. */
  readonly trash: TrashFiles
  /**
   * Removes files, links and directories with all they hold, for good, a stretch a call: links are never followed, what is
   * mounted within a directory stays, what the system refuses is a problem and the rest goes.
   * @param from - what the call before said of an item that was not done
   * @throws {SpacedriveError} what concerns the disk as a whole
   */
  remove(
    items: readonly Doomed[],
    from?: { after?: RelPath | undefined; blamed?: boolean | undefined }
  ): Promise<RemovedForGood>
  /**
   * Opens a folder that is only read: nothing is probed or written there.
   * @throws {SpacedriveError} MISSING, LINK_IN_PATH (no directory), NO_PERMISSION
   */
  openSource(path: AbsPath, options?: AbortOptions): Promise<FileSource>
  /**
   * The marker of a folder, which need not be one that is ever written to; undefined where there is none.
   * @throws {SpacedriveError} MISSING, NO_PERMISSION, MARKER_DAMAGED
   */
  readMarker(path: AbsPath, options?: AbortOptions): Promise<Marker | undefined>
  /** Closes every root that is still open. */
  close(): Promise<void>
}

export interface FileSource {
  /** For `copierHere` in a task that runs in a worker; it must have ended before `close`. */
  readonly handle: SourceHandle
  close(): Promise<void>
}

export interface FileRoot {
  readonly path: AbsPath
  readonly capabilities: Capabilities
  /** For `copierHere` in a task that runs in a worker; it must have ended before `close`. */
  readonly handle: RootHandle

  /** Free and total bytes, and what must stay free: the larger of 1 % and 512 MiB. */
  space(): Promise<Space>
  /** @throws {SpacedriveError} NO_SPACE with the figures when `bytes` more would leave less than the reserve */
  ensureSpace(bytes: number): Promise<void>

  /**
   * Opens (or makes) the staging place `id`.
   * @param id - a UUID (transfer id, batch id): anything else is refused
   * @param options.where - `beside`: `.spacedrive-tmp-*` in the root, gone without a trace afterwards (Spacedrop); `area`:
   *   below `.spacedrive/` at the root (sync)
   */
  openStaging(id: string, options?: { where?: 'beside' | 'area' } & AbortOptions): Promise<Staging>
  /** Whether this daemon's staging place `id` is there: left by a crash, unless it is open. Makes nothing. */
  hasStaging(id: string, options?: AbortOptions): Promise<boolean>

  /**
   * One durable batch: syncs what was staged, places step by step, syncs the names, calls `commit` with what was achieved.
   * A step that fails is a problem in its result; steps that need its path fail with the same cause.
   * @throws {SpacedriveError} BATCH_TOO_LARGE, DISK_ERROR (nothing was placed: stage again), NO_SPACE
   */
  place(
    steps: readonly PlaceStep[],
    options?: { commit?: (results: readonly PlaceResult[]) => Promise<void> } & StagedHow & AbortOptions
  ): Promise<readonly PlaceResult[]>
  /**
   * Steps that happen all or not at all (moves that swap or turn in a cycle, a file that becomes a directory, several
   * moves): written to a journal first. What a step takes it names by its path before the group, what it gives a name by the path
   * after it: what lies within something else that moves may move itself. A `remove-directory` must be of one that is empty then; `attributes` are for `place`.
   */
  placeGroup(steps: readonly PlaceStep[], options?: AbortOptions): Promise<readonly PlaceResult[]>
  /**
   * What was moved aside is looked at once more before the archive is committed: a program that still held it open may have
   * written to it. @returns which of the list are no longer as they were
   */
  lookAgain(list: readonly { at: StagedSource; stat: EntryStat }[], options?: AbortOptions): Promise<readonly number[]>
  /** At start, before anything looks at the folder: completes or takes back the groups that a crash interrupted. */
  recover(options?: AbortOptions): Promise<RecoverReport>

  /** Sets the number of a sync in the marker, which is made where it is missing; durable on return. */
  count(sync: string, counter: number, options?: AbortOptions): Promise<Marker>
  /** What this root keeps of what was replaced or removed in it. */
  readonly versions: VersionArea
  /**
   * Something of another folder on the same volume gets its name here by one rename, durable on return.
   * @throws {SpacedriveError} CHANGED, EXISTS, OTHER_FILE_SYSTEM: then it is where it was
   */
  moveIn(
    from: { source: SourceHandle; name: FileName; expected: Expected },
    path: RelPath,
    options?: AbortOptions
  ): Promise<EntryStat>
  /**
   * Everything written on this file system, durable; where one sync of the whole says nothing (`syncWhole`) only these paths,
   * each with the way to it. Before anything is taken away elsewhere because it is here, it is to be named.
   * @returns those of the paths that were found not to be there
   * @throws {SpacedriveError} DISK_ERROR
   */
  sync(options?: { readonly paths?: readonly RelPath[] } & AbortOptions): Promise<readonly RelPath[]>

  close(): Promise<void>
}

/**
 * `.spacedrive/versions/`: contents by hash, and lists of lines that say what they were. Nothing is made before the first
 * `append`. A batch puts what it replaces at `asidePath(hash, n)` of its staging place; `keep` moves all of that here.
 */
export interface VersionArea {
  /** Whole lines, each ended by a line feed; durable on return. @param list - letters, digits, `.`, `_`, `-` */
  append(list: string, text: string, options?: AbortOptions): Promise<void>
  /** In no order. */
  lists(options?: AbortOptions): Promise<readonly VersionList[]>
  /** A piece of a list; empty at its end. */
  read(list: string, range: { position: number; maxBytes: number } & AbortOptions): Promise<Uint8Array>
  /** Puts the list `from` in the place of `to`; without `from` removes it. */
  swap(swap: { to: string; from?: string }, options?: AbortOptions): Promise<void>
  /** What lies aside in a staging place. @returns also what is not what it was taken for: it lies there still */
  keep(staging: Staging, options?: KeepAside & AbortOptions): Promise<KeptAside>
  /** @param part - `00` to `ff`: the contents whose hash begins so */
  contents(part: string, options?: AbortOptions): Promise<readonly StoredContent[]>
  has(hashes: readonly ContentHash[], options?: AbortOptions): Promise<readonly boolean[]>
  remove(hashes: readonly ContentHash[], options?: AbortOptions): Promise<number>
  /** Reads a content and compares it with its name. */
  verify(
    hash: ContentHash,
    options?: AbortOptions
  ): Promise<{ state: 'whole' | 'different' | 'missing'; sizeBytes: number }>
  /** Copies a content to `path` in a staging place, its parent being there. @throws {SpacedriveError} NO_VERSION */
  stage(staging: Staging, hash: ContentHash, path: RelPath, options?: AbortOptions): Promise<void>
}

export interface Space {
  readonly freeBytes: number
  readonly totalBytes: number
  readonly reserveBytes: number
}

export interface RecoverReport {
  readonly completed: number
  readonly takenBack: number
  /** Groups that could be neither: their journal stays, and nothing may run on this root before they are solved. */
  readonly problems: readonly Problem[]
}
