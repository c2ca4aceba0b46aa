import { hasCode, joinRel, nameOf, parentOf, type RelPath, ROOT } from '../base/index.js'
import { type DirHandle, type Disk, findStat } from './disk.js'

/** Below this many files and directories each is synced alone; a sync of the whole file system may wait for others' writes. */
export const HANDFUL = 16

/** Removes a tree of ours, never leaving it by a link. Fine when nothing is there. */
export function removeTree(disk: Disk, parent: DirHandle, name: string): void {
  const top = findStat(disk, parent, name)
  if (top === undefined) return
  if (top.kind !== 'directory') {
    disk.unlink(parent, name)
    return
  }
  if ((top.mode & 0o700) !== 0o700) disk.setDirMode(parent, name, 0o700)
  const base = disk.openDir(parent, name)
  try {
    // Level by level and by path, so that depth costs no descriptors.
    const directories: RelPath[] = [ROOT]
    for (const rel of directories) {
      within(disk, base, rel, dir => {
        for (const child of disk.list(dir)) {
          const { kind, mode } = disk.lstat(dir, child)
          if (kind !== 'directory') {
            disk.unlink(dir, child)
            continue
          }
          if ((mode & 0o700) !== 0o700) disk.setDirMode(dir, child, 0o700)
          directories.push(joinRel(rel, child))
        }
      })
    }
    for (const rel of directories.reverse()) {
      if (rel !== ROOT) within(disk, base, parentOf(rel), dir => disk.removeDir(dir, nameOf(rel)))
    }
  } finally {
    disk.close(base)
  }
  disk.removeDir(parent, name)
}

/** Removes directories that hold nothing but such directories: whatever else lies in one stays, with the way to it. */
export function removeEmptyTree(disk: Disk, parent: DirHandle, name: string): void {
  const inside = disk.openDir(parent, name)
  try {
    for (const child of disk.list(inside))
      if (disk.lstat(inside, child).kind === 'directory') removeEmptyTree(disk, inside, child)
  } finally {
    disk.close(inside)
  }
  try {
    disk.removeDir(parent, name)
  } catch (err) {
    if (!hasCode(err, 'ENOTEMPTY', 'EEXIST')) throw err
  }
}

/** Makes a tree durable: a handful file by file, else the file system as a whole. */
export function syncTree(disk: Disk, tree: DirHandle, syncWhole: boolean): void {
  if (syncWhole && !isHandful(disk, tree)) {
    disk.syncAll(tree)
    return
  }
  walk(disk, tree, (dir, children) => {
    for (const { name, kind } of children) {
      // Where the whole cannot be synced, each file was when it was written.
      if (kind === 'file' && syncWhole) syncFile(disk, dir, name, tree)
    }
    disk.sync(dir)
    return true
  })
}

function isHandful(disk: Disk, tree: DirHandle): boolean {
  let seen = 0
  walk(disk, tree, (_dir, children) => {
    seen += children.length
    return seen < HANDFUL
  })
  return seen < HANDFUL
}

/** Goes through a tree, parents first, as long as `visit` says so. Directories that forbid it are open for that time. */
function walk(
  disk: Disk,
  base: DirHandle,
  visit: (dir: DirHandle, children: readonly { name: string; kind: string }[]) => boolean
): void {
  const directories: RelPath[] = [ROOT]
  const closed: { rel: RelPath; mode: number }[] = []
  try {
    for (const rel of directories) {
      const goOn = within(disk, base, rel, dir => {
        const children = disk.list(dir).map(name => ({ name, ...disk.lstat(dir, name) }))
        for (const { name, kind, mode } of children) {
          if (kind !== 'directory') continue
          const child = joinRel(rel, name)
          directories.push(child)
          if ((mode & 0o500) === 0o500) continue
          closed.push({ rel: child, mode })
          disk.setDirMode(dir, name, 0o700)
        }
        return visit(dir, children)
      })
      if (!goOn) return
    }
  } finally {
    for (const { rel, mode } of closed.reverse()) within(disk, base, rel, dir => disk.setMode(dir, mode))
  }
}

function syncFile(disk: Disk, dir: DirHandle, name: string, tree: DirHandle): void {
  let fd: number
  try {
    fd = disk.open(dir, name, 'read')
  } catch (err) {
    // Its mode forbids even its owner to read it.
    if (!hasCode(err, 'EACCES')) throw err
    disk.syncAll(tree)
    return
  }
  try {
    disk.sync(fd)
  } finally {
    disk.close(fd)
  }
}

function within<T>(disk: Disk, base: DirHandle, rel: RelPath, fn: (dir: DirHandle) => T): T {
  if (rel === ROOT) return fn(base)
  const dir = disk.openDir(base, rel)
  try {
    return fn(dir)
  } finally {
    disk.close(dir)
  }
}
