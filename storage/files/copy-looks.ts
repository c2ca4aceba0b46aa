import type { AbsPath, RelPath } from '../base/index.js'
import { nameOf, parentOf } from '../base/index.js'
import { hashSource } from '../content/index.js'
import { Dirs } from './dirs.js'
import type { DirHandle, Disk } from './disk.js'
import type { EntryStat } from './fingerprint.js'
import { diskError, readError } from './problems.js'
import type { RootHandle } from './root.js'
import type { StagingHandle } from './staging-writer.js'
import { TreeLooks } from './tree-looks.js'

/** A folder that is only read: nothing is probed, nothing is written there. Good in every thread until it is closed. */
export interface SourceHandle {
  readonly path: AbsPath
  readonly dir: DirHandle
  readonly device: bigint
  readonly mount: bigint
  /** Instead of the real disk: see `FilesInit.disk`. Such a handle stays in its thread. */
  readonly disk?: Disk | undefined
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
  protected readonly syncEach: boolean
  /** The tree that is copied. What cannot be read there is READ_ERROR, the problem of its path. */
  readonly source: TreeLooks
  readonly #target: TreeLooks | undefined
  readonly #staging: Dirs | undefined
  readonly #root: TargetHandle | undefined

  constructor(disk: Disk, { source, target, staging }: CopierInit) {
    this.disk = disk
    this.#root = target
    this.source = new TreeLooks(disk, source.dir, { failed: readError })
    if (target !== undefined) this.#target = new TreeLooks(disk, target.dir, { device: target.device })
    if (staging !== undefined) this.#staging = new Dirs(disk, staging.tree, staging.device)
    this.syncEach = staging?.syncEach ?? false
  }

  /** undefined: nothing is there (any more). */
  lookSource(path: RelPath): EntryStat | undefined {
    return this.source.look(path)
  }

  /** undefined: nothing is there (yet), or there is no destination yet. */
  lookTarget(path: RelPath): EntryStat | undefined {
    return this.#target?.look(path)
  }

  sourceLink(path: RelPath): string {
    return this.source.link(path)
  }

  targetLink(path: RelPath): string {
    return this.target.link(path)
  }

  /** BLAKE3 of a whole file; a large one that is staged from the disk, where the system lets go of what memory holds of it. */
  async hash(which: 'source' | 'target' | 'staged', path: RelPath, signal?: AbortSignal): Promise<string> {
    const dirs = which === 'staged' ? this.stagingDirs : which === 'source' ? this.source.dirs : this.target.dirs
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
      throw which === 'staged' ? diskError('read', path, err) : readError('read', path, err)
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

  protected get target(): TreeLooks {
    if (this.#target === undefined) throw new TypeError('this copier has no destination')
    return this.#target
  }

  protected get stagingDirs(): Dirs {
    if (this.#staging === undefined) throw new TypeError('this copier has no staging place')
    return this.#staging
  }

  protected saying<T>(action: string, path: RelPath, fn: () => T): T {
    try {
      return fn()
    } catch (err) {
      throw diskError(action, path, err)
    }
  }
}
