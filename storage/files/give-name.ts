import { displayPath, errorCode, nameOf, parentOf, type RelPath, SpacedriveError } from '../base/index.js'
import type { Capabilities } from './capabilities.js'
import { type DirHandle, type Disk, findStat } from './disk.js'
import type { RootAccess } from './root.js'

/**
 * Renames without replacing anything; EEXIST where something stands. In one step where the file system can, else by a
 * second name that is made first (a crash in between leaves both, which the journal's recovery knows).
 */
export function giveName(
  disk: Disk,
  { noReplace, hardLinks }: Pick<Capabilities, 'noReplace' | 'hardLinks'>,
  from: DirHandle,
  name: string,
  to: DirHandle,
  toName: string
): void {
  if (noReplace) {
    disk.rename(from, name, to, toName, 'noreplace')
    return
  }
  const { kind } = disk.lstat(from, name)
  if (kind === 'directory') {
    // RACE: a directory has one name only. What comes between look and rename is replaced only if it is an empty directory.
    if (findStat(disk, to, toName) !== undefined) throw exists(toName)
    disk.rename(from, name, to, toName, 'replace')
    return
  }
  if (hardLinks) {
    try {
      disk.link(from, name, to, toName)
      try {
        disk.unlink(from, name)
      } catch (err) {
        disk.unlink(to, toName)
        throw err
      }
      return
    } catch (err) {
      // A file of somebody else may be refused a second name; EEXIST is the answer looked for.
      if (!['EPERM', 'EACCES', 'EOPNOTSUPP', 'ENOTSUP', 'EMLINK'].includes(errorCode(err))) throw err
      // A directory was put there since the look: it has a way of its own.
      if (disk.lstat(from, name).kind !== kind) {
        giveName(disk, { noReplace, hardLinks: false }, from, name, to, toName)
        return
      }
    }
  }
  // Takes the name with an empty file of our own. A crash right then leaves that file: better than replacing somebody's.
  const fd = disk.open(to, toName, 'create')
  disk.close(fd)
  try {
    disk.rename(from, name, to, toName, 'replace')
  } catch (err) {
    disk.unlink(to, toName)
    throw err
  }
}

/**
 * The same for paths beneath a root, never over a link, and never into a directory that was swapped for another meanwhile:
 * then it is taken back. @throws the system's errors as they are; CHANGED
 */
export function giveNameBeneath({ disk, root, dirs }: RootAccess, from: RelPath, to: RelPath): void {
  const [source, target] = [dirs.open(parentOf(from)), dirs.open(parentOf(to))]
  giveName(disk, root.capabilities, source, nameOf(from), target, nameOf(to))
  if (!dirs.isStill(parentOf(to))) {
    giveName(disk, root.capabilities, target, nameOf(to), source, nameOf(from))
    dirs.forget(parentOf(to))
    throw movedAway(to)
  }
  dirs.forget(from)
  dirs.forget(to)
}

export const movedAway = (path: RelPath): SpacedriveError =>
  new SpacedriveError('CHANGED', `could not place ${displayPath(path)}: its directory was moved or replaced meanwhile`)

function exists(name: string): Error {
  return Object.assign(new Error(`EEXIST: file already exists, rename '${name}'`), { code: 'EEXIST' })
}
