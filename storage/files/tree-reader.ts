import { type AbsPath, displayPath, hasCode, nameOf, parentOf, type RelPath, SpacedriveError } from '../base/index.js'
import type { DirHandle, Disk } from './disk.js'
import { diskHere } from './disk-here.js'
import type { EntryStat } from './fingerprint.js'
import { diskError, readError } from './problems.js'
import { TreeLooks } from './tree-looks.js'

/** The folder that is read, as it was when it was first opened. */
export interface ReaderRoot {
  /** Absolute, without links. */
  readonly path: AbsPath
  /** Another folder has come to stand at the path when these are no longer so; left out: whatever is there. */
  readonly identity?: Pick<EntryStat, 'device' | 'inode'> | undefined
  /** It is only a place to go on from, and need not be readable itself. */
  readonly passing?: boolean | undefined
  /** A damaged place of the disk is the problem of what lies there (READ_ERROR), and not DISK_ERROR, which ends everything. */
  readonly sparing?: boolean | undefined
  /** Instead of the real disk: see `FilesInit.disk`. */
  readonly disk?: Disk | undefined
}

/** An open file of the tree. */
export interface OpenFile {
  /** As it was when it was opened. */
  readonly opened: EntryStat
  stat(): EntryStat
  /** @returns bytes read, 0 at the end */
  read(into: Uint8Array, atBytes: number): number
  /** Where data, or a hole, begins at or after a position; -1 when none does. Left out where the system cannot tell. */
  seek?: ((atBytes: number, what: 'data' | 'hole') => number) | undefined
  close(): void
}

/** Looks at a tree and reads its files, from within a task that runs in a worker. Close it when the task ends. */
export class TreeReader extends TreeLooks {
  readonly #root: DirHandle

  constructor(disk: Disk, init: ReaderRoot) {
    const root = openedRoot(disk, init)
    super(disk, root, init.sparing === true ? { failed: readError } : {})
    this.#root = root
  }

  /**
   * @param options.looked - it was a file not long ago: it is opened without a look before (the opening of a device may do
   *   something), only with the one after
   * @throws MISSING, NOT_A_FILE, LINK_IN_PATH, NO_PERMISSION
   */
  open(path: RelPath, { looked = false } = {}): OpenFile {
    return this.saying('read', path, () => {
      const disk = this.disk
      const dir = this.dirs.open(parentOf(path))
      if (!looked && disk.lstat(dir, nameOf(path)).kind !== 'file') throw notAFile(path)
      const fd = openFile(disk, dir, path)
      const opened = disk.stat(fd)
      if (opened.kind !== 'file') {
        disk.close(fd)
        throw notAFile(path)
      }
      return {
        opened,
        stat: () => disk.stat(fd),
        read: (into, atBytes) => this.saying('read', path, () => disk.read(fd, into, atBytes)),
        seek: disk.quick && ((atBytes, what) => this.saying('read', path, () => disk.quick!.seek(fd, atBytes, what))),
        close: () => disk.close(fd)
      }
    })
  }

  override close(): void {
    super.close()
    this.disk.close(this.#root)
  }
}

function openFile(disk: Disk, dir: DirHandle, path: RelPath): number {
  try {
    return disk.open(dir, nameOf(path), 'read')
  } catch (err) {
    if (hasCode(err, 'ENXIO')) throw notAFile(path) // a socket
    throw err
  }
}

function openedRoot(disk: Disk, { path, identity, passing }: ReaderRoot): DirHandle {
  let root: DirHandle
  try {
    root = disk.openRoot(path, passing ? 'passing' : undefined)
  } catch (err) {
    if (identity !== undefined && hasCode(err, 'ENOENT', 'ENOTDIR')) throw moved(path)
    throw diskError('open', path, err)
  }
  const { device, inode } = disk.stat(root)
  if (identity === undefined || (identity.device === device && identity.inode === inode)) return root
  disk.close(root)
  throw moved(path)
}

/** On the disk of this worker thread, unless the root brings its own. @throws {SpacedriveError} MISSING, LINK_IN_PATH (no directory), NO_PERMISSION, ROOT_MOVED */
export const treeReader = (root: ReaderRoot): TreeReader => new TreeReader(root.disk ?? diskHere(), root)

const moved = (path: AbsPath): SpacedriveError =>
  new SpacedriveError('ROOT_MOVED', `could not use ${displayPath(path)}: the folder was moved, replaced or removed`, {
    hint: 'Put it back and try again.'
  })

const notAFile = (path: RelPath): SpacedriveError =>
  new SpacedriveError('NOT_A_FILE', `could not read ${displayPath(path)}: it is not a regular file`)
