import type { AbortOptions, AbsPath, ContentHash, FileName, Problem, RelPath } from '../base/index.js'
import type { EntryStat } from './fingerprint.js'
import type { NewName, NewNameProblem } from './place-new.js'
import type { StagedEntries } from './staged-columns.js'
import type { StagingHandle } from './staging-writer.js'

/**
 * A private folder (0700) in which things lie ready until they get their names. It survives a crash or a restart and is
 * found again by its id, until who knows it discards it.
 *
 * (a) Many small files: pack their bytes one after the other into one buffer and hand them to `write`, some hundreds of
 *     files or up to 4 MiB a call (one message to one worker; several calls may run at once for different files). Parents
 *     are made as needed.
 * (b) One large file: `openFile`, then `append` chunk after chunk (64 KiB to 4 MiB), then `finish` with the hash. After a
 *     lost connection or a crash `openFile` again: `positionBytes` says how much is there and `prefixHash` what, to be
 *     compared with the sender's hash of as many bytes; differ: `restart`.
 * (c) Links, empty directories: entries of `write`. Modes and mtimes: of files and links with the entry; of directories
 *     last, when nothing is written into them any more, by `setDirectoryAttributes`.
 * (d) The end: `moveInto` syncs what was staged, gives each top-level entry a free name in a directory of the root, makes
 *     that durable, and only then returns. All of them arrive or none.
 *
 * After a restart `verify` hashes what lies there and says which files need not be sent again.
 */
export interface Staging {
  readonly id: string
  /** For messages only. */
  readonly path: AbsPath
  /** The folder in which what was staged lies under its paths: to be read, never written to. */
  readonly contentPath: AbsPath
  /**
   * For `stagingWriter` in a task that runs in a worker anyway. It must have ended before `discard`, `close` or `moveInto`:
   * descriptors are closed then, and their numbers are used again.
   */
  readonly handle: StagingHandle

  /**
   * Writes files (hashing them on the way), links and directories. Existing entries of the same kind are written anew.
   * One that fails is a problem and leaves nothing behind; only what concerns all of them is thrown.
   * @param data - the files' bytes; its ArrayBuffer is handed over and is empty afterwards
   * @throws {SpacedriveError} NO_SPACE, READ_ONLY, DISK_ERROR, STAGING_GONE
   */
  write(entries: StagedEntries, data: Uint8Array, options?: AbortOptions): Promise<StagedReport>

  /** Opens a large file for writing, at the end of what is already there. One writer a path. */
  openFile(path: RelPath, init: OpenedFile): Promise<StagedFileWriter>

  /** Which of these files lie here whole: size and hash are compared, from the disk. In the order given. */
  verify(files: readonly VerifiedFile[], options?: AbortOptions): Promise<('whole' | 'different' | 'missing')[]>

  /** Modes and mtimes of directories, given in any order, applied deepest first. */
  setDirectoryAttributes(
    list: readonly DirectoryAttributes[],
    options?: AbortOptions
  ): Promise<readonly StagedProblem[]>

  /**
   * Makes everything written so far durable by one sync of its file system, where that is the way to do so many files: while
   * others are placed, so that `FileRoot.place` need not wait for it (`stagedDurable`).
   * @returns false: nothing was done, and `place` sees to it
   * @throws {SpacedriveError} DISK_ERROR: stage it again
   */
  makeDurable(files: number, options?: AbortOptions): Promise<boolean>
  /** Makes everything written so far durable. @throws {SpacedriveError} DISK_ERROR: stage it again */
  sync(options?: AbortOptions): Promise<void>

  /**
   * Gives what is staged its names where nothing stands, thousands at a time: durable first, then named. EXISTS and the like
   * are problems of their paths, which stay staged.
   * @param options.durable - the names are durable on return, not only at the next sync of that disk
   * @throws {SpacedriveError} DISK_ERROR: nothing was placed
   */
  placeNew(list: readonly NewName[], options: { durable: boolean } & AbortOptions): Promise<readonly NewNameProblem[]>

  /** Removes one name at the top of it with all that is below. Fine when nothing is there. */
  clear(name: FileName): Promise<void>

  /**
   * The end of a drop: syncs, then gives each top-level entry its name in `directory` (made if its parent exists), or
   * `name (1)`, `name (2)` ... where something stands, never replacing anything; durable on return. All or none, also
   * over a crash: `FileRoot.recover` at the next start completes it or takes it back, and so does an error.
   * @returns the names taken, in the order given; the same when it had already happened before a crash
   */
  moveInto(directory: RelPath, entries: readonly MoveEntry[], options?: AbortOptions): Promise<readonly MovedEntry[]>

  /**
   * After a restart (and `FileRoot.recover`): what `moveInto` gave its names before, so that nothing is staged again; undefined
   * when it did not. What a person took away since is left out.
   */
  moved(options?: AbortOptions): Promise<readonly MovedEntry[] | undefined>

  /** Removes everything in it, never leaving it by a link. Open writers are closed. */
  discard(options?: AbortOptions): Promise<void>
  /** Closes descriptors; what was staged stays for `openStaging` with the same id. */
  close(): Promise<void>
}

export type StagedEntry =
  | {
      readonly kind: 'file'
      readonly path: RelPath
      /** Where its bytes lie in `data`. */
      readonly offset: number
      readonly length: number
      /** Checked where given: HASH_MISMATCH. */
      readonly hash?: ContentHash | undefined
      /** Permission bits, exactly; unless given what an ordinary new file would get. Set-id and sticky bits are never set. */
      readonly mode?: number | undefined
      readonly mtimeNs?: bigint | undefined
    }
  | { readonly kind: 'directory'; readonly path: RelPath }
  | {
      readonly kind: 'symlink'
      readonly path: RelPath
      /** Written as it is, never followed. Which targets are acceptable is the caller's to judge. */
      readonly target: string
      readonly mtimeNs?: bigint | undefined
    }

export interface StagedProblem extends Problem {
  /** Which entry of the call. */
  readonly index: number
}

export interface StagedReport {
  /** 32 bytes an entry, in their order; zeros for what is no file or failed. */
  readonly hashes: Uint8Array
  readonly problems: readonly StagedProblem[]
}

export interface VerifiedFile {
  readonly path: RelPath
  readonly sizeBytes: number
  readonly hash: ContentHash
}

export interface DirectoryAttributes {
  readonly path: RelPath
  readonly mode?: number | undefined
  readonly mtimeNs?: bigint | undefined
}

export interface MoveEntry {
  /** Name of a top-level entry of the staging place. */
  readonly from: FileName
  /** The name wanted; `from` unless told. */
  readonly as?: FileName | undefined
  /** For directories: set after the move (a directory without write permission could not be moved). */
  readonly mode?: number | undefined
  readonly mtimeNs?: bigint | undefined
}

/** A large file that is opened for writing. */
export interface OpenedFile extends AbortOptions {
  readonly sizeBytes: number
  /** Bytes of what is there already, as they are read. */
  readonly onBytes?: ((bytes: number) => void) | undefined
}

export interface MovedEntry {
  readonly from: FileName
  readonly name: FileName
  readonly path: AbsPath
  readonly stat: EntryStat
}

/** A stretch of a file of the root, by the path it has there. */
export interface StagedStretch {
  readonly path: RelPath
  readonly fromBytes: number
  readonly lengthBytes: number
}

/** Blocks that a file of the root may have, one behind the other, by the path it has there. */
export interface StagedBlocks {
  readonly path: RelPath
  /** Where the first of them would lie in it. */
  readonly fromBytes: number
  /** They are meant for there: if the writer stands elsewhere (an earlier call wrote less), none is written. */
  readonly atBytes: number
  readonly lengths: Uint32Array
  /** BLOCK_HASH_BYTES each (storage/content). */
  readonly hashes: Uint8Array
}

/** Of bytes on their way to where they are written. */
export interface HandedOver {
  /**
   * Called where nobody looks at them any more long before they are written: they were sealed for another device, whose answer takes a round
   * trip. Not called by who needs them until then.
   */
  readonly onTaken?: (() => void) | undefined
}

export interface StagedFileWriter {
  readonly path: RelPath
  readonly sizeBytes: number
  /** Bytes that are there: where the next `append` writes. */
  readonly positionBytes: number
  /** BLAKE3 of the first `positionBytes`. */
  prefixHash(): Promise<ContentHash>
  /**
   * Writes at `positionBytes` and hashes. Calls may be made without waiting for each other; they run in order. Waiting for
   * the last few is the caller's back-pressure.
   * @param bytes - its ArrayBuffer is handed over where `bytes` is all of it and this is done in another thread, else copied:
   *   the caller's again once this has resolved, or `onTaken` was called
   * @throws {SpacedriveError} SIZE_EXCEEDED beyond `sizeBytes`, NO_SPACE, READ_ONLY, DISK_ERROR: nothing of it counts
   */
  append(bytes: Uint8Array, options?: HandedOver): Promise<void>
  /** The same for zeros that take no place on the disk, where the file system can. They are hashed: some 40 ms for 256 MiB. */
  appendHole(lengthBytes: number): Promise<void>
  /**
   * The same for a stretch of a file of this root, read where it lies; its holes stay holes. What was written before an error
   * counts. The file may change meanwhile: only the hash at the end says that the content is the one that was meant.
   * @throws {SpacedriveError} MISSING, NOT_A_FILE, LINK_IN_PATH, NO_PERMISSION, CHANGED_WHILE_READING (it is not all there)
   */
  appendStretch(stretch: StagedStretch): Promise<void>
  /**
   * The same for blocks that are only thought to be there: each is read once, and written if it has its hash, up to the first that has
   * not. A file that cannot be read has none of them.
   * @returns how many were written
   */
  appendBlocks(blocks: StagedBlocks): Promise<number>
  /** Forgets what is there and begins at 0. */
  restart(): Promise<void>
  /**
   * Checks size and hash, sets mode and mtime. The file then lies ready; `Staging.sync` or `moveInto` makes it durable.
   * @throws {SpacedriveError} INCOMPLETE, HASH_MISMATCH (the file is emptied: begin again)
   */
  finish(expected: { hash?: ContentHash; mode?: number; mtimeNs?: bigint }): Promise<{ hash: ContentHash }>
  /** Keeps what is there for the next `openFile`. */
  close(): Promise<void>
}
