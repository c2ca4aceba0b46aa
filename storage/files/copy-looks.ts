import type { AbsPath, RelPath } from '../base/index.js'
import { hasCode, nameOf, parentOf } from '../base/index.js'
import { hashSource } from '../content/index.js'
import { Dirs } from './dirs.js'
import { type DirHandle, type Disk, findStat } from './disk.js'
import type { EntryStat } from './fingerprint.js'
import { diskError } from './problems.js'
import type { RootHandle } from './root.js'
import type { StagingHandle } from './staging-writer.js'

/** A folder that is only read: nothing is probed, nothing is written there. Good in every thread until it is closed. */
export interface SourceHandle {
  readonly path: AbsPath
  readonly dir: DirHandle
  readonly device: bigint
  readonly mount: bigint
}

/** What of a root a look at it takes. */
export type TargetHandle = Pick<RootHandle, 'path' | 'dir' | 'device'>

export interface CopierInit {
  readonly source: SourceHandle
  /** Left out where only the source is looked through. */
  readonly target?: TargetHandle | undefined
  /** Left out where nothing is written (a look, a dry run). */
  readonly staging?: StagingHandle | undefined
}

/** What a copy that a person asked for leaves free: a small stick may be filled, a file system not to the last block. */
export const COPY_RESERVE_SHARE = 100

/**
 * Below this a file that was just written is read back from memory: with a wait for the disk for each, checking 50,000 small files
 * took seven times as long as copying them.
 */
const DROP_FROM_BYTES = 1024 * 1024

/** Looks at both ends of a copy, beneath open directories: the half of `Copier` that changes nothing. */
export class CopyLooks {
  protected readonly disk: Disk
  protected readonly source: Dirs
  protected readonly syncEach: boolean
  readonly #target: Dirs | undefined
  readonly #staging: Dirs | undefined
  readonly #root: TargetHandle | undefined

  constructor(disk: Disk, { source, target, staging }: CopierInit) {
    this.disk = disk
    this.#root = target
    this.source = new Dirs(disk, source.dir, undefined)
    if (target !== undefined) this.#target = new Dirs(disk, target.dir, target.device)
    if (staging !== undefined) this.#staging = new Dirs(disk, staging.tree, staging.device)
    this.syncEach = staging?.syncEach ?? false
  }

  /** Names in a source directory, in no order. */
  list(dir: RelPath): string[] {
    return this.saying('read', dir, () => this.disk.list(this.source.open(dir)))
  }

  /** Names of the directories in a source directory. */
  listDirectories(dir: RelPath): string[] {
    return this.saying('read', dir, () => {
      const opened = this.source.open(dir)
      return (
        this.disk.listDirectories?.(opened) ??
        this.disk.list(opened).filter(name => this.disk.lstat(opened, name).kind === 'directory')
      )
    })
  }

  /** undefined: nothing is there (any more). */
  lookSource(path: RelPath): EntryStat | undefined {
    return this.#look(this.source, path)
  }

  lookTarget(path: RelPath): EntryStat | undefined {
    return this.#target === undefined ? undefined : this.#look(this.#target, path)
  }

  sourceLink(path: RelPath): string {
    return this.saying('read', path, () => this.disk.readlink(this.source.open(parentOf(path)), nameOf(path)))
  }

  targetLink(path: RelPath): string {
    return this.saying('read', path, () => this.disk.readlink(this.targetDirs.open(parentOf(path)), nameOf(path)))
  }

  /** BLAKE3 of a whole file; a large one that is staged from the disk, where the system lets go of what memory holds of it. */
  async hash(which: 'source' | 'target' | 'staged', path: RelPath, signal?: AbortSignal): Promise<string> {
    const dirs = which === 'source' ? this.source : which === 'target' ? this.targetDirs : this.stagingDirs
    try {
      const fd = this.disk.open(dirs.open(parentOf(path)), nameOf(path), 'read')
      try {
        if (which === 'staged' && this.disk.stat(fd).sizeBytes >= DROP_FROM_BYTES) this.disk.quick?.dropCache(fd)
        const source = {
          read: (into: Uint8Array, at: number) => this.disk.read(fd, into, at),
          stat: () => this.disk.stat(fd)
        }
        return (await hashSource(source, path, { signal })).hash
      } finally {
        this.disk.close(fd)
      }
    } catch (err) {
      throw diskError('read', path, err)
    }
  }

  /** Bytes that may be written at the destination: a hundredth of it stays free. */
  room(): number {
    if (this.#root === undefined) return Number.POSITIVE_INFINITY
    const { freeBytes, totalBytes } = this.disk.space(this.#root.dir)
    return freeBytes - Math.ceil(totalBytes / COPY_RESERVE_SHARE)
  }

  close(): void {
    this.source.close()
    this.#target?.close()
    this.#staging?.close()
  }

  protected get targetDirs(): Dirs {
    if (this.#target === undefined) throw new TypeError('this copier has no destination')
    return this.#target
  }

  protected get stagingDirs(): Dirs {
    if (this.#staging === undefined) throw new TypeError('this copier has no staging place')
    return this.#staging
  }

  #look(dirs: Dirs, path: RelPath): EntryStat | undefined {
    return this.saying('look at', path, () => {
      try {
        return findStat(this.disk, dirs.open(parentOf(path)), nameOf(path))
      } catch (err) {
        if (hasCode(err, 'ENOENT')) return undefined
        throw err
      }
    })
  }

  protected saying<T>(action: string, path: RelPath, fn: () => T): T {
    try {
      return fn()
    } catch (err) {
      throw diskError(action, path, err)
    }
  }
}
