import { errorCode } from '../base/index.js'
import type { Capabilities } from './capabilities.js'
import { type DirHandle, type Disk, findStat } from './disk.js'

/** By magic number; a Map, since the formatter rewrites numbers that are keys. */
const NAMES: ReadonlyMap<number, string> = new Map([
  [0xef53, 'ext4'],
  [0x58465342, 'xfs'],
  [0x9123683e, 'btrfs'],
  [0xf2f52010, 'f2fs'],
  [0xca451a4e, 'bcachefs'],
  [0x01021994, 'tmpfs'],
  [0x2fc12fc1, 'zfs'],
  [0x4d44, 'vfat'],
  [0x2011bab0, 'exfat'],
  [0x7366746e, 'ntfs3'],
  [0x794c7630, 'overlay'],
  [0x65735546, 'fuse'],
  [0x6969, 'nfs'],
  [0xff534d42, 'cifs'],
  [0xfe534d42, 'smb'],
  [0x517b, 'smb'],
  [0x01021997, '9p'],
  [0x00c36400, 'ceph']
])
/** Where one `syncfs` is known to write everything and to report what it could not; all others are synced file by file. */
const SYNC_WHOLE = new Set(['ext4', 'xfs', 'btrfs', 'f2fs', 'bcachefs', 'tmpfs', 'vfat', 'exfat'])

/** Where a file from below gets another birth time when it is first changed: what was tried on a new file proves nothing. */
const COPIES_UP = 'overlay'

/** An odd second and nine digits of nanoseconds: whatever a file system rounds, it shows. */
const PROBE_TIME_NS = 1_234_567_891_123_456_789n
const TIME_STEPS_NS = [1n, 100n, 1_000n, 1_000_000n, 10_000_000n, 1_000_000_000n, 2_000_000_000n]
const COARSEST_NS = 2_000_000_000n
/** How long a rename waits for the file system's clock to go on; a coarser clock says nothing about ctime. */
const CLOCK_WAIT_MS = 40

/** Tries out in an empty private directory what this file system can do. Leaves things behind: the caller removes it. */
export function probe(disk: Disk, dir: DirHandle): Capabilities {
  const make = (name: string): void => disk.close(disk.open(dir, name, 'create'))
  const works = (fn: () => unknown): boolean => {
    try {
      return fn() !== false
    } catch (err) {
      // A disk that is full or broken says nothing about what it can do.
      if (['ENOSPC', 'EDQUOT', 'EIO', 'EROFS', 'EMFILE', 'ENFILE'].includes(errorCode(err))) throw err
      return false
    }
  }
  make('a')
  make('b')
  const type = disk.space(dir).type
  const fileSystem = NAMES.get(type) ?? `0x${type.toString(16)}`
  return {
    fileSystem,
    exchange: works(() => {
      const [a, b] = [disk.lstat(dir, 'a').inode, disk.lstat(dir, 'b').inode]
      disk.rename(dir, 'a', dir, 'b', 'exchange')
      return disk.lstat(dir, 'a').inode === b && disk.lstat(dir, 'b').inode === a
    }),
    noReplace: refusesToReplace(disk, dir) && works(() => disk.rename(dir, 'a', dir, 'c', 'noreplace')),
    hardLinks: works(() => disk.link(dir, 'b', dir, 'd')),
    symlinks: works(() => disk.symlink('b', dir, 'link')),
    modes: works(() => keepsModes(disk, dir)),
    foldsCase: works(() => {
      make('folded')
      return findStat(disk, dir, 'FOLDED') !== undefined
    }),
    foldsUnicode: works(() => {
      make('\u00e9')
      return findStat(disk, dir, 'e\u0301') !== undefined
    }),
    anyBytes: works(() => make('odd\udcff')),
    timeStepNs: timeStep(disk, dir),
    ...renames(disk, dir, fileSystem),
    syncWhole: disk.syncAllReports && SYNC_WHOLE.has(fileSystem)
  }
}

/** A file system that ignores the flag would replace: it must refuse first. */
function refusesToReplace(disk: Disk, dir: DirHandle): boolean {
  try {
    disk.rename(dir, 'a', dir, 'b', 'noreplace')
  } catch (err) {
    return errorCode(err) === 'EEXIST'
  }
  disk.close(disk.open(dir, 'a', 'create')) // 'b' was replaced
  return false
}

function keepsModes(disk: Disk, dir: DirHandle): boolean {
  const fd = disk.open(dir, 'mode', 'create')
  try {
    return [0o755, 0o640].every(mode => {
      disk.setMode(fd, mode)
      return disk.stat(fd).mode === mode
    })
  } finally {
    disk.close(fd)
  }
}

function timeStep(disk: Disk, dir: DirHandle): bigint {
  const fd = disk.open(dir, 'time', 'create')
  try {
    disk.setMtime(fd, PROBE_TIME_NS)
  } finally {
    disk.close(fd)
  }
  const got = disk.lstat(dir, 'time').mtimeNs
  return TIME_STEPS_NS.find(step => got === PROBE_TIME_NS - (PROBE_TIME_NS % step)) ?? COARSEST_NS
}

function renames(
  disk: Disk,
  dir: DirHandle,
  fileSystem: string
): Pick<Capabilities, 'keepsIdentity' | 'renameKeepsCtime'> {
  disk.close(disk.open(dir, 'old', 'create'))
  const before = disk.lstat(dir, 'old')
  const ticked = waitForClock(disk, dir, before.ctimeNs)
  disk.rename(dir, 'old', dir, 'new', 'replace')
  const after = disk.lstat(dir, 'new')
  return {
    keepsIdentity:
      fileSystem !== COPIES_UP &&
      before.birthNs > 0n &&
      after.birthNs === before.birthNs &&
      after.inode === before.inode,
    renameKeepsCtime: ticked && after.ctimeNs === before.ctimeNs
  }
}

/** @returns false when the clock of the file system did not visibly go on */
function waitForClock(disk: Disk, dir: DirHandle, beyondNs: bigint): boolean {
  const fd = disk.open(dir, 'clock', 'create')
  try {
    const end = performance.now() + CLOCK_WAIT_MS
    do {
      disk.setMtime(fd, PROBE_TIME_NS)
      if (disk.stat(fd).ctimeNs > beyondNs) return true
    } while (performance.now() < end)
    return false
  } finally {
    disk.close(fd)
  }
}
