import { hasCode, nameOf, parentOf, type RelPath } from '../base/index.js'
import { Dirs } from './dirs.js'
import { type DirHandle, type Disk, findStat } from './disk.js'
import type { EntryStat } from './fingerprint.js'
import { diskError } from './problems.js'

export interface TreeLooksInit {
  /** What is mounted from another device is refused: OTHER_FILE_SYSTEM; undefined: wherever it lies. */
  readonly device?: bigint | undefined
  /** What an error of the disk is called. */
  readonly failed?: ((action: string, path: string, cause: unknown) => Error) | undefined
}

/** Looks at a tree beneath one open directory, synchronous: no link is followed, nothing changed. */
export class TreeLooks {
  readonly dirs: Dirs
  protected readonly disk: Disk
  readonly #top: DirHandle
  readonly #failed: (action: string, path: string, cause: unknown) => Error

  constructor(disk: Disk, top: DirHandle, { device, failed = diskError }: TreeLooksInit = {}) {
    this.disk = disk
    this.#top = top
    this.#failed = failed
    this.dirs = new Dirs(disk, top, device)
  }

  /** Names in a directory, in no order. @throws MISSING, LINK_IN_PATH, NO_PERMISSION */
  list(dir: RelPath): string[] {
    return this.saying('list', dir, () => this.disk.list(this.dirs.open(dir)))
  }

  /** Names of the directories in it. */
  listDirectories(dir: RelPath): string[] {
    return this.saying('list', dir, () => {
      const opened = this.dirs.open(dir)
      return (
        this.disk.listDirectories?.(opened) ??
        this.disk.list(opened).filter(name => this.disk.lstat(opened, name).kind === 'directory')
      )
    })
  }

  /** undefined: nothing is there. @throws LINK_IN_PATH (a link or a file where a directory should be), NO_PERMISSION */
  look(path: RelPath): EntryStat | undefined {
    return this.saying('look at', path, () => {
      try {
        return path === ''
          ? this.disk.stat(this.#top)
          : findStat(this.disk, this.dirs.open(parentOf(path)), nameOf(path))
      } catch (err) {
        if (hasCode(err, 'ENOENT')) return undefined
        throw err
      }
    })
  }

  /** The target of a symlink. */
  link(path: RelPath): string {
    return this.saying('read', path, () => this.disk.readlink(this.dirs.open(parentOf(path)), nameOf(path)))
  }

  /** What was looked up under this directory leads elsewhere by now. */
  forget(dir: RelPath): void {
    this.dirs.forget(dir)
  }

  close(): void {
    this.dirs.close()
  }

  saying<T>(action: string, path: RelPath, fn: () => T): T {
    try {
      return fn()
    } catch (err) {
      throw this.#failed(action, path === '' ? this.#top.path : path, err)
    }
  }
}
