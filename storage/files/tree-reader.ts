import { type AbsPath, displayPath, hasCode, nameOf, parentOf, type RelPath, SpacedriveError } from '../base/index.js'
import { Dirs } from './dirs.js'
import { type DirHandle, type Disk, findStat } from './disk.js'
import { diskHere } from './files.worker.js'
import type { EntryStat } from './fingerprint.js'
import { diskError } from './problems.js'

/** The folder that is read, as it was when it was first opened. */
export interface ReaderRoot {
  /** Absolute, without links. */
  readonly path: AbsPath
  /** Another folder has come to stand at the path when these are no longer so; left out: whatever is there. */
  readonly identity?: Pick<EntryStat, 'device' | 'inode'> | undefined
}

/** An open file of the tree. */
export interface OpenFile {
  stat(): EntryStat
  /** @returns bytes read, 0 at the end */
  read(into: Uint8Array, atBytes: number): number
  /** Where data, or a hole, begins at or after a position; -1 when none does. Left out where the system cannot tell. */
  seek?: ((atBytes: number, what: 'data' | 'hole') => number) | undefined
  close(): void
}

/**
 * Looks at a tree and reads its files, from within a task that runs in a worker: synchronous, beneath one open directory, no
 * link followed, nothing changed. Close it when the task ends.
 */
export class TreeReader {
  readonly #disk: Disk
  readonly #root: DirHandle
  readonly #dirs: Dirs

  constructor(disk: Disk, { path, identity }: ReaderRoot) {
    this.#disk = disk
    try {
      this.#root = disk.openRoot(path)
    } catch (err) {
      if (identity !== undefined && hasCode(err, 'ENOENT', 'ENOTDIR')) throw moved(path)
      throw diskError('open', path, err)
    }
    const { device, inode } = disk.stat(this.#root)
    if (identity !== undefined && (identity.device !== device || identity.inode !== inode)) {
      disk.close(this.#root)
      throw moved(path)
    }
    this.#dirs = new Dirs(disk, this.#root, undefined)
  }

  /** Names in a directory, in no order. @throws MISSING, LINK_IN_PATH, NO_PERMISSION */
  list(dir: RelPath): string[] {
    return this.#saying('list', dir, () => this.#disk.list(this.#dirs.open(dir)))
  }

  /** undefined: nothing is there. @throws LINK_IN_PATH (a link or a file where a directory should be), NO_PERMISSION */
  look(path: RelPath): EntryStat | undefined {
    return this.#saying('look at', path, () => {
      try {
        return path === ''
          ? this.#disk.stat(this.#root)
          : findStat(this.#disk, this.#dirs.open(parentOf(path)), nameOf(path))
      } catch (err) {
        if (hasCode(err, 'ENOENT')) return undefined
        throw err
      }
    })
  }

  /** The target of a symlink. */
  link(path: RelPath): string {
    return this.#saying('read', path, () => this.#disk.readlink(this.#dirs.open(parentOf(path)), nameOf(path)))
  }

  /** @throws MISSING, NOT_A_FILE, LINK_IN_PATH, NO_PERMISSION */
  open(path: RelPath): OpenFile {
    return this.#saying('read', path, () => {
      const disk = this.#disk
      const dir = this.#dirs.open(parentOf(path))
      if (disk.lstat(dir, nameOf(path)).kind !== 'file') throw notAFile(path)
      const fd = disk.open(dir, nameOf(path), 'read')
      if (disk.stat(fd).kind !== 'file') {
        disk.close(fd)
        throw notAFile(path)
      }
      return {
        stat: () => disk.stat(fd),
        read: (into, atBytes) => this.#saying('read', path, () => disk.read(fd, into, atBytes)),
        seek: disk.quick && ((atBytes, what) => this.#saying('read', path, () => disk.quick!.seek(fd, atBytes, what))),
        close: () => disk.close(fd)
      }
    })
  }

  /** What was looked up under this directory leads elsewhere by now. */
  forget(dir: RelPath): void {
    this.#dirs.forget(dir)
  }

  close(): void {
    this.#dirs.close()
    this.#disk.close(this.#root)
  }

  #saying<T>(action: string, path: RelPath, fn: () => T): T {
    try {
      return fn()
    } catch (err) {
      throw diskError(action, path === '' ? this.#root.path : path, err)
    }
  }
}

/** On the disk of this worker thread. @throws {SpacedriveError} MISSING, LINK_IN_PATH (no directory), NO_PERMISSION, ROOT_MOVED */
export const treeReader = (root: ReaderRoot): TreeReader => new TreeReader(diskHere(), root)

const moved = (path: AbsPath): SpacedriveError =>
  new SpacedriveError('ROOT_MOVED', `could not use ${displayPath(path)}: the folder was moved, replaced or removed`, {
    hint: 'Put it back and try again.'
  })

const notAFile = (path: RelPath): SpacedriveError =>
  new SpacedriveError('NOT_A_FILE', `could not read ${displayPath(path)}: it is not a regular file`)
