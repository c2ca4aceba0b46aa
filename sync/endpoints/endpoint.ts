import type { AbortOptions, DeviceId, Problem, RelPath } from '../../storage/base/index.js'
import type {
  Capabilities,
  EntryStat,
  Expected,
  PlaceResult,
  PlaceStep,
  Space,
  StagedHow
} from '../../storage/files/index.js'
import type { RecordedFile } from '../analysis/index.js'
import type { BlockPiece, BlocksOptions, HashedStart } from './blocks.js'
import type { HashedFile, ReadOptions, ReadPack, ReadPackOptions, ReadPiece } from './content.js'
import type { Looked, TreePage } from './entry.js'
import type { LocalPort } from './local-port.js'
import type { EndpointStage } from './stage.js'
import type { EndpointSync } from './syncing.js'

/**
 * One end of a copy or a sync: a folder here or on a paired device. See docs/endpoint.md.
 *
 * Everything is asynchronous, paged and abortable, since a wire may lie under it. Plain values only. Paths are relative to the
 * root; below it no symlink is ever followed, also one swapped in meanwhile. `.spacedrive-tmp-*` is never shown.
 *
 * A failure of one path is a problem in the result; what is thrown concerns the call: ROOT_MOVED (the root was moved, replaced
 * or removed), UNREACHABLE (the other device is away), DISK_ERROR, STOPPED (closed), `signal.reason` itself.
 */
export interface Endpoint {
  readonly kind: 'local' | 'remote' | 'memory'
  /** The root for people: the absolute path, or `laptop:` before it. Escaped already. */
  readonly shown: string

  /** What can be told without writing anything. Asked once, then remembered. */
  about(options?: AbortOptions): Promise<EndpointAbout>
  /**
   * What this end can hold, found by trying it out in the root once: it writes there. @throws READ_ONLY, NO_PERMISSION.
   * Never asked of the source of a one-way sync.
   */
  capabilities(options?: AbortOptions): Promise<Capabilities>

  /**
   * One directory, its names in byte order. What vanishes meanwhile is left out.
   * @throws {SpacedriveError} MISSING, NOT_A_DIRECTORY, LINK_IN_PATH, NO_PERMISSION: it could not be listed; pages that came
   *   before an error are no whole listing
   */
  list(path: RelPath, options?: AbortOptions): AsyncIterable<TreePage>
  /**
   * A directory and all below it, in tree order, the directory itself first; or one file or link alone. A directory that could
   * not be listed is an entry with `unknown: 'unreadable'` and nothing follows below it.
   * @throws {SpacedriveError} MISSING, LINK_IN_PATH, NO_PERMISSION: of `path` itself; READ_ERROR: of the root
   */
  walk(path: RelPath, options?: WalkOptions): AsyncIterable<TreePage>
  /** What is at each of these paths now, in their order; at most MAX_LOOKS. */
  look(paths: readonly RelPath[], options?: AbortOptions): Promise<readonly Looked[]>

  /**
   * Content of one file. See `ReadPiece` for what comes in which order. Ending the loop early closes the file.
   * @throws {SpacedriveError} MISSING, NOT_A_FILE, LINK_IN_PATH, NO_PERMISSION, CHANGED_WHILE_READING (also when a range is not
   *   all there)
   */
  read(path: RelPath, options?: ReadOptions): AsyncIterable<ReadPiece>
  /** Several small files at once; at most MAX_LOOKS paths. */
  readPack(paths: readonly RelPath[], options?: ReadPackOptions): Promise<ReadPack>
  /** What a pack should hold at most, where a limit of the rate holds now: see `EndpointStage.packBytes`. */
  readonly packBytes?: number | undefined
  /** BLAKE3 of whole files, made at that end: only the hashes travel. In the order given. */
  hash(paths: readonly RelPath[], options?: HashOptions): AsyncIterable<HashedFile>

  /**
   * The blocks of one file, cut by content, and its hash, made at that end: what another file has in common with it need not
   * travel (docs/delta.md). In messages of about BLOCKS_A_PAGE, or of PAGE_OF_BLOCKS_BYTES where that is less.
   * @throws {SpacedriveError} as `read`; TOO_LARGE: it might have more than MAX_BLOCKS
   */
  blocks(path: RelPath, options: BlocksOptions): AsyncIterable<BlockPiece>
  /**
   * BLAKE3 of the first bytes of one file, made at that end: whether what arrived of it is still its beginning.
   * @throws {SpacedriveError} as `read`; CHANGED_WHILE_READING when the file is shorter
   */
  hashStart(path: RelPath, lengthBytes: number, options?: HashOptions): Promise<HashedStart>

  /**
   * Opens (or makes) the staging place `id`, a UUID. What a crash left half done under this root is completed or taken back
   * first.
   * @throws {SpacedriveError} READ_ONLY, NO_PERMISSION, STAGING_IN_USE
   */
  openStage(id: string, options?: AbortOptions): Promise<EndpointStage>
  /**
   * One durable batch: names for what was staged, moves, removals, attributes; each step says what it expects to find. Results
   * path by path: what failed is a problem, what needed it fails with the same cause. When it returns, what is `done` outlives
   * a power loss. At most MAX_PLACED_STEPS, MAX_BATCH_BYTES (storage/files) and MAX_PLACED_LETTERS.
   * @throws {SpacedriveError} BATCH_TOO_LARGE, NO_SPACE, DISK_ERROR (nothing was placed: stage again)
   */
  place(steps: readonly PlaceStep[], options?: StagedHow & AbortOptions): Promise<readonly PlaceResult[]>
  /** Steps that happen all or not at all, over a crash too: swaps, cycles, a kind that changes (`FileRoot.placeGroup`). */
  placeGroup(steps: readonly PlaceStep[], options?: AbortOptions): Promise<readonly PlaceResult[]>
  /**
   * Throws things away so that they can be had back, directories whole; durable on return. At most MAX_TRASH_BATCH. What is not
   * as expected stays and is a problem.
   */
  trash(items: readonly TrashedItem[], options: TrashItemsOptions): Promise<readonly TrashOutcome[]>

  space(options?: AbortOptions): Promise<Space>
  /** @throws {SpacedriveError} NO_SPACE with the figures when `bytes` more would leave less than the reserve */
  ensureSpace(bytes: number, options?: AbortOptions): Promise<void>

  /** What the indexes of another device recorded of files here; at most MAX_LOOKS. Left out where nobody is to be asked. */
  recorded?(paths: readonly RelPath[], options?: AbortOptions): Promise<readonly (RecordedFile | undefined)[]>

  /** The fast local ways, where this end is a folder of this device. Whoever uses them has a way without them. */
  readonly local?: LocalPort | undefined
  /** What a sync asks of an end that lies on another device; only of one that was opened for a sync. */
  readonly sync?: EndpointSync | undefined

  /** Ends what is going on and lets go of the root. May be called twice. */
  close(): Promise<void>
}

export interface EndpointAbout {
  /** null: this device, or one that only exists in a test. */
  readonly device: DeviceId | null
  /** Of the root. Its inode, birth time and device tell it from another folder at the same place. */
  readonly root: EntryStat
  /** `ext4`, `nfs`, `vfat` ... */
  readonly fileSystem: string
  /** Its files lie on another machine: times are another clock's, changes show late. */
  readonly network: boolean
  /** The step of its times as far as is known without writing: 2 s on FAT, else 1. `capabilities` tells it exactly. */
  readonly timeStepNs: bigint
}

export interface WalkOptions extends AbortOptions {
  /** Directories that are shown but not entered. */
  readonly except?: readonly RelPath[] | undefined
  /** 0: only `path` itself, 1: and what it holds, ... All unless given. */
  readonly depth?: number | undefined
  /** Enters what is mounted below the root as well. */
  readonly otherFileSystems?: boolean | undefined
}

export interface HashOptions extends AbortOptions {
  /** Bytes read since the last call: for progress. */
  readonly onBytes?: ((bytes: number) => void) | undefined
}

export interface TrashedItem {
  readonly path: RelPath
  readonly expected: Expected
  /**
   * Lies in a staging place (what a replacement moved aside) and is thrown away under the name `path`. `expected` is then the
   * `aside` of that step's result.
   */
  readonly from?: { readonly staging: string; readonly path: RelPath } | undefined
}

export interface TrashItemsOptions extends AbortOptions {
  /** For the list of the trash: `file.copy`. */
  readonly command: string
  readonly job?: string | undefined
}

export type TrashOutcome =
  | { readonly done: true; readonly path: RelPath; readonly files: number; readonly bytes: number }
  | {
      readonly done: false
      readonly path: RelPath
      readonly problem: Problem
    }
