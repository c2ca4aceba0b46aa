import type { EntryStat } from './fingerprint.js'

/**
 * The primitives of a disk that storage/files stands on: synchronous, because they run in workers, thousands of times a
 * second. `nodeDisk` is the real one; test/storage/files has a simulated one that loses power.
 *
 * Names are always given beneath an open directory, one at a time, and never followed when they are symlinks, so that
 * nothing that is swapped in meanwhile can lead elsewhere. Errors carry the system's `code` (ENOENT, EEXIST ...).
 */
export interface Disk {
  /** Whether `syncAll` is there and reports write errors (Linux 5.8); which file systems can be trusted is another question. */
  readonly syncAllReports: boolean

  /**
   * Opens a directory by its absolute path; symlinks in this one path are followed.
   * @param how - `passing`: what lies below is reached from it; it need not be readable where the system can do that
   */
  openRoot(path: string, how?: 'passing'): DirHandle
  /** Opens a directory beneath another (`rel`: names joined by `/`; '' is the same directory again). ELOOP or ENOTDIR at a link. */
  openDir(dir: DirHandle, rel: string): DirHandle
  /** `create`: fails where anything stands. `read`, `write`: an existing file; whoever opens looks at its kind. */
  open(dir: DirHandle, name: string, how: 'read' | 'write' | 'create', mode?: number): number
  close(handle: DirHandle | number): void

  /** @returns bytes read, 0 at the end */
  read(fd: number, into: Uint8Array, position: number): number
  /** All of it, or an error. */
  write(fd: number, bytes: Uint8Array, position: number): void
  truncate(fd: number, sizeBytes: number): void
  /**
   * Has the disk begin with what was written, where there is a call for it: whoever syncs later waits less. Nobody waits for it here, not
   * even while the disk takes no more.
   * @returns how many of the bytes; 0: it still begins with others that this thread wrote
   */
  startWriting?(fd: number, position: number, lengthBytes: number): number
  /** Resolves when nothing is being begun: a thread that ends before that leaves a file open which was closed meanwhile. */
  begun?(): Promise<void>

  /** Content and attributes of one file, or the names in one directory, durable. */
  sync(handle: DirHandle | number): void
  /** Everything on the file system of this descriptor, durable; reports what failed since the descriptor was opened. */
  syncAll(dir: DirHandle): void

  /** Whether names may be made in this directory, as far as rights and the mount tell. */
  canWrite(dir: DirHandle): boolean
  stat(handle: DirHandle | number): EntryStat
  lstat(dir: DirHandle, name: string): EntryStat
  /** The same; undefined where nothing is there. Where it is cheaper than an error. */
  findStat?(dir: DirHandle, name: string): EntryStat | undefined
  /** In no order, without `.` and `..`. */
  list(dir: DirHandle): string[]
  /** Names of the directories in it, where the system tells kinds with the names; undefined where one of them is not told. */
  listDirectories?(dir: DirHandle): string[] | undefined

  makeDir(dir: DirHandle, name: string, mode: number): void
  removeDir(dir: DirHandle, name: string): void
  unlink(dir: DirHandle, name: string): void
  /** ENOSYS or EINVAL where the file system cannot do `noreplace` or `exchange`. */
  rename(from: DirHandle, name: string, to: DirHandle, toName: string, how: RenameHow): void
  /** A second name; a symlink gets one itself. */
  link(from: DirHandle, name: string, to: DirHandle, toName: string): void
  symlink(target: string, dir: DirHandle, name: string): void
  readlink(dir: DirHandle, name: string): string

  /** The access time stays where there is a call that leaves it. */
  setMtime(handle: DirHandle | number, mtimeNs: bigint): void
  /** Of a symlink itself. ENOSYS where there is no call for it. */
  setLinkMtime(dir: DirHandle, name: string, mtimeNs: bigint): void
  setMode(handle: DirHandle | number, mode: number): void
  /** Of a directory that cannot be opened. Only in a place of our own: a link put there meanwhile would be followed. */
  setDirMode(dir: DirHandle, name: string, mode: number): void

  /** Of what is open; of a symlink by its name. */
  setOwner?(handle: DirHandle | number, uid: number, gid: number): void
  setLinkOwner?(dir: DirHandle, name: string, uid: number, gid: number): void

  /** What makes copies fast and exact, where the system has it: without these bytes are read and written. */
  readonly quick?: QuickCopy | undefined

  space(dir: DirHandle): DiskSpace
}

export interface QuickCopy {
  /** The content of one file becomes that of another, sharing its blocks. EOPNOTSUPP, EXDEV, EINVAL where it cannot be. */
  clone(from: number, to: number): void
  /** Within the kernel, from a position on in both files. @returns bytes copied, 0 at the end */
  copyRange(from: number, to: number, position: number, length: number): number
  /** Where data, or a hole, begins at or after a position; -1 when there is none. */
  seek(fd: number, position: number, what: 'data' | 'hole'): number
  /** Lets go of what memory holds of a file that is on the disk. */
  dropCache(fd: number): void
  readonly xattrs: {
    list(fd: number): string[]
    get(fd: number, name: string): Uint8Array
    set(fd: number, name: string, value: Uint8Array): void
  }
}

export type RenameHow = 'replace' | 'noreplace' | 'exchange'

/** An open directory. Plain values: descriptors belong to the process, so a handle may go to another thread. */
export interface DirHandle {
  readonly fd: number
  /** Where it was when it was opened: for messages, and for systems without calls beneath a descriptor. */
  readonly path: string
}

export interface DiskSpace {
  readonly freeBytes: number
  readonly totalBytes: number
  /** Magic number of the file system. */
  readonly type: number
}

/** The stat of a name, or undefined where nothing stands. */
export function findStat(disk: Disk, dir: DirHandle, name: string): EntryStat | undefined {
  if (disk.findStat !== undefined) return disk.findStat(dir, name)
  try {
    return disk.lstat(dir, name)
  } catch (err) {
    if ((err as { code?: string }).code === 'ENOENT') return undefined
    throw err
  }
}
