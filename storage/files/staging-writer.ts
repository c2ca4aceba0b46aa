import {
  type AbortOptions,
  type ContentHash,
  errorCode,
  hasCode,
  nameOf,
  parentOf,
  type RelPath,
  SpacedriveError
} from '../base/index.js'
import { HASH_BYTES, hashBytes, hashSource, hashToBytes } from '../content/index.js'
import { Dirs } from './dirs.js'
import { type DirHandle, type Disk, findStat } from './disk.js'
import { type FileAppender, openAppender } from './file-appender.js'
import { isFatal, problemOf, stagedError } from './problems.js'
import type {
  DirectoryAttributes,
  OpenedFile,
  StagedEntry,
  StagedProblem,
  StagedReport,
  VerifiedFile
} from './staging.js'
import { processUmask } from './umask.js'

/** An open staging place as plain values, good in every thread of the process until `Staging.close`. */
export interface StagingHandle {
  readonly id: string
  /** Beneath the root. */
  readonly rel: RelPath
  /** The place itself: journal and tree. Held open since before the first write, so that `syncAll` on it reports every error. */
  readonly dir: DirHandle
  /** What is staged. */
  readonly tree: DirHandle
  readonly device: bigint
  /** Each file is fsynced as it is written, because the file system has no trustworthy `syncfs`. */
  readonly syncEach: boolean
}

/** Mode of a staged file until it is whole. */
const PRIVATE_MODE = 0o600
/** Permission bits; set-id and sticky bits never come from a peer. */
const MODE_BITS = 0o777

/**
 * Writes into a staging place from within a worker: what `Staging` does by messages, for tasks that run there anyway (a
 * transfer's). Synchronous but for reading back; one writer a thread, several threads may write different paths.
 */
export class StagingWriter {
  readonly #disk: Disk
  readonly #handle: StagingHandle
  readonly #dirs: Dirs
  /** The folder that all of it comes into. */
  readonly #into: string

  constructor(disk: Disk, handle: StagingHandle) {
    this.#disk = disk
    this.#handle = handle
    this.#dirs = new Dirs(disk, handle.tree, handle.device)
    this.#into = handle.dir.path.slice(0, -handle.rel.length - 1)
  }

  /** See `Staging.write`. */
  write(entries: readonly StagedEntry[], data: Uint8Array): StagedReport {
    const hashes = new Uint8Array(entries.length * HASH_BYTES)
    const problems: StagedProblem[] = []
    for (const [index, entry] of entries.entries()) {
      try {
        const hash = this.#writeOne(entry, data)
        if (hash !== undefined) hashes.set(hashToBytes(hash), index * HASH_BYTES)
      } catch (cause) {
        const err = this.#error('write', entry.path, cause)
        if (isFatal(err)) throw err
        problems.push({ index, ...problemOf(entry.path, err) })
      }
    }
    return { hashes, problems }
  }

  /** Takes away a file or link that will not come whole after all. Nothing happens when it is not there. */
  remove(path: RelPath): void {
    try {
      this.#disk.unlink(this.#dirs.open(parentOf(path)), nameOf(path))
    } catch (err) {
      if (!hasCode(err, 'ENOENT')) throw this.#error('remove', path, err)
    }
  }

  /** See `Staging.openFile`. What is there is hashed first, in pieces with the signal looked at in between. */
  async openFile(path: RelPath, { sizeBytes, onBytes, signal }: OpenedFile): Promise<FileAppender> {
    try {
      const dir = this.#dirs.make(parentOf(path))
      const fd = this.#openForAppend(dir, nameOf(path))
      const { syncEach } = this.#handle
      return await openAppender(this.#disk, fd, { path, into: this.#into, sizeBytes, onBytes, syncEach, signal })
    } catch (err) {
      throw this.#error('write', path, err)
    }
  }

  /** See `Staging.verify`. */
  async verify(
    files: readonly VerifiedFile[],
    { signal }: AbortOptions = {}
  ): Promise<('whole' | 'different' | 'missing')[]> {
    const results: ('whole' | 'different' | 'missing')[] = []
    for (const file of files) {
      signal?.throwIfAborted()
      results.push(await this.#verifyOne(file, signal))
    }
    return results
  }

  /** See `Staging.setDirectoryAttributes`. */
  setDirectoryAttributes(list: readonly DirectoryAttributes[]): StagedProblem[] {
    const problems: StagedProblem[] = []
    const depth = (path: RelPath): number => path.split('/').length
    // Deepest first: a parent without execute permission closes the way to what it holds.
    const ordered = [...list.entries()].sort(([, a], [, b]) => depth(b.path) - depth(a.path))
    for (const [index, { path, mode, mtimeNs }] of ordered) {
      try {
        const dir = this.#dirs.open(path)
        if (mtimeNs !== undefined) this.#disk.setMtime(dir, mtimeNs)
        if (mode !== undefined) this.#disk.setMode(dir, mode & MODE_BITS)
      } catch (cause) {
        const err = this.#error('set mode and time of', path, cause)
        if (isFatal(err)) throw err
        problems.push({ index, ...problemOf(path, err) })
      }
    }
    return problems
  }

  close(): void {
    this.#dirs.close()
  }

  /** See `Disk.begun`: to be waited for by a task that is about to end. */
  async begun(): Promise<void> {
    await this.#disk.begun?.()
  }

  #error(action: string, path: RelPath, cause: unknown): Error {
    return stagedError(action, path, cause, this.#into)
  }

  #writeOne(entry: StagedEntry, data: Uint8Array): ContentHash | undefined {
    if (entry.kind === 'directory') {
      this.#makeDirectory(entry.path)
      return undefined
    }
    const dir = this.#dirs.make(parentOf(entry.path))
    const name = nameOf(entry.path)
    if (entry.kind === 'symlink') {
      this.#anew(dir, name, () => this.#disk.symlink(entry.target, dir, name))
      if (entry.mtimeNs !== undefined) this.#setLinkMtime(dir, name, entry.mtimeNs)
      return undefined
    }
    if (entry.offset < 0 || entry.length < 0 || entry.offset + entry.length > data.length) {
      throw new RangeError(`expected bytes ${entry.offset}+${entry.length} within ${data.length}`)
    }
    const bytes = data.subarray(entry.offset, entry.offset + entry.length)
    const hash = hashBytes(bytes)
    if (entry.hash !== undefined && entry.hash !== hash) {
      throw new SpacedriveError('HASH_MISMATCH', `could not stage ${entry.path}: its content is not what was announced`)
    }
    const fd = this.#anew(dir, name, () => this.#disk.open(dir, name, 'create', PRIVATE_MODE))
    try {
      if (bytes.length > 0) this.#disk.write(fd, bytes, 0)
      const mode = entry.mode === undefined ? 0o666 & ~processUmask() : entry.mode & MODE_BITS
      if (mode !== PRIVATE_MODE) this.#disk.setMode(fd, mode)
      if (entry.mtimeNs !== undefined) this.#disk.setMtime(fd, entry.mtimeNs)
      if (this.#handle.syncEach) this.#disk.sync(fd)
    } catch (err) {
      this.#disk.unlink(dir, name)
      throw err
    } finally {
      this.#disk.close(fd)
    }
    return hash
  }

  /** One that has its final mode already, from before a restart, can be written into again. */
  #makeDirectory(path: RelPath): void {
    const parent = this.#dirs.make(parentOf(path))
    const there = findStat(this.#disk, parent, nameOf(path))
    if (there?.kind === 'directory' && (there.mode & 0o700) !== 0o700) {
      this.#disk.setDirMode(parent, nameOf(path), 0o700)
    }
    this.#dirs.make(path)
  }

  /** Makes something anew where an earlier try may have left a file or a link. */
  #anew<T>(dir: DirHandle, name: string, make: () => T): T {
    try {
      return make()
    } catch (err) {
      if (errorCode(err) !== 'EEXIST' || this.#disk.lstat(dir, name).kind === 'directory') throw err
      this.#disk.unlink(dir, name)
      return make()
    }
  }

  #openForAppend(dir: DirHandle, name: string): number {
    const there = findStat(this.#disk, dir, name)
    if (there === undefined) return this.#disk.open(dir, name, 'create', PRIVATE_MODE)
    // A finished file may have lost its write permission; one with other names is none of ours.
    if (there.kind === 'file' && there.links === 1 && (there.mode & 0o600) === 0o600) {
      return this.#disk.open(dir, name, 'write')
    }
    return this.#anew(dir, name, () => this.#disk.open(dir, name, 'create', PRIVATE_MODE))
  }

  async #verifyOne(file: VerifiedFile, signal?: AbortSignal): Promise<'whole' | 'different' | 'missing'> {
    let fd: number
    try {
      const dir = this.#dirs.open(parentOf(file.path))
      const there = findStat(this.#disk, dir, nameOf(file.path))
      if (there === undefined) return 'missing'
      if (there.kind !== 'file' || there.sizeBytes !== file.sizeBytes) return 'different'
      fd = this.#disk.open(dir, nameOf(file.path), 'read')
    } catch (cause) {
      const err = this.#error('read', file.path, cause)
      if (isFatal(err)) throw err
      return errorCode(err) === 'MISSING' ? 'missing' : 'different'
    }
    try {
      const source = {
        read: (into: Uint8Array, at: number) => this.#disk.read(fd, into, at),
        stat: () => this.#disk.stat(fd)
      }
      return (await hashSource(source, file.path, { signal })).hash === file.hash ? 'whole' : 'different'
    } catch (err) {
      signal?.throwIfAborted()
      if (errorCode(err) === 'CHANGED_WHILE_READING') return 'different'
      throw this.#error('read', file.path, err)
    } finally {
      this.#disk.close(fd)
    }
  }

  #setLinkMtime(dir: DirHandle, name: string, mtimeNs: bigint): void {
    try {
      this.#disk.setLinkMtime(dir, name, mtimeNs)
    } catch (err) {
      // The time of a link is worth nothing against the link: some file systems keep none.
      if (!['ENOSYS', 'EOPNOTSUPP', 'ENOTSUP', 'EPERM'].includes(errorCode(err))) throw err
    }
  }
}
