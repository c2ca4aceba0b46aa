import { type AbsPath, displayPath, errorCode, hasCode, SpacedriveError } from '../base/index.js'
import { openArea, openOrMake, openOwn } from './area.js'
import type { Capabilities } from './capabilities.js'
import { type DirHandle, type Disk, findStat } from './disk.js'
import { AREA_NAME } from './ours.js'
import { diskError } from './problems.js'
import { handleOf, type RootHandle } from './root.js'

/** Beneath the area, then one folder for each daemon that shares the volume. */
const TRASH_NAME = 'trash'
const IN_AREA = `/${AREA_NAME}/${TRASH_NAME}/`

/** See `TrashFiles.findBins`. @param owner - see `ownerTag` */
export function findBin(disk: Disk, dir: AbsPath, home: AbsPath, owner: string): AbsPath {
  const there = fileSystemOf(disk, dir)
  if (there === undefined) throw diskError('look at', dir, Object.assign(new Error(), { code: 'ENOENT' }))
  if (fileSystemOf(disk, home) === there) return `${home}/${TRASH_NAME}` as AbsPath
  // From the top of the file system down: one place for all that is thrown away there, if that can be.
  const chain: AbsPath[] = []
  for (let at: AbsPath | undefined = dir; at !== undefined && fileSystemOf(disk, at) === there; at = parentDir(at)) {
    chain.unshift(at)
  }
  for (const top of chain) {
    if (canHold(disk, top)) return `${top === '/' ? '' : top}${IN_AREA}${owner}` as AbsPath
  }
  throw new SpacedriveError(
    'NO_TRASH',
    `there is no place for the trash on the file system of ${displayPath(dir)}: no folder above it may be written; --permanent removes for good`
  )
}

/** What a rename must not cross: the device, and the mount where the kernel tells. */
function fileSystemOf(disk: Disk, path: AbsPath): string | undefined {
  let dir: DirHandle
  try {
    dir = disk.openRoot(path)
  } catch (err) {
    if (hasCode(err, 'ENOENT', 'EACCES')) return undefined
    throw diskError('look at', path, err)
  }
  try {
    const { device, mount } = disk.stat(dir)
    return `${device}:${mount}`
  } finally {
    disk.close(dir)
  }
}

/** Whether `.spacedrive` is there and ours, or could be made. */
function canHold(disk: Disk, top: AbsPath): boolean {
  const dir = disk.openRoot(top)
  try {
    const area = findStat(disk, dir, AREA_NAME)
    if (area === undefined) return disk.canWrite(dir)
    return area.kind === 'directory' && area.uid === (process.geteuid?.() ?? area.uid)
  } finally {
    disk.close(dir)
  }
}

/** Opens a bin, making it where `make` says so. The caller closes `dir`. @throws {SpacedriveError} NO_BIN, NOT_PRIVATE */
export function openBin(
  disk: Disk,
  bin: AbsPath,
  { owner, known, make }: { owner: string; known: Readonly<Record<string, Capabilities>>; make: boolean }
): RootHandle {
  let dir: DirHandle
  try {
    dir = make ? makeBin(disk, bin) : openThere(disk, bin)
  } catch (err) {
    if (!make && hasCode(err, 'ENOENT', 'ENOTDIR', 'ELOOP')) {
      throw new SpacedriveError('NO_BIN', `the trash ${displayPath(bin)} is not there`, {
        cause: err,
        hint: 'Connect or mount its volume.'
      })
    }
    throw diskError('open the trash', bin, err)
  }
  try {
    return handleOf(disk, dir, { path: bin, owner, known })
  } catch (err) {
    disk.close(dir)
    throw diskError('use the trash', bin, err)
  }
}

function makeBin(disk: Disk, bin: AbsPath): DirHandle {
  const area = bin.lastIndexOf(IN_AREA)
  const above = disk.openRoot(area < 0 ? parentDir(bin)! : bin.slice(0, area) || '/')
  try {
    if (area < 0) return synced(disk, above, openOrMake(disk, above, lastName(bin)))
    const trash = openArea(disk, above, TRASH_NAME)
    try {
      return synced(disk, trash, openOrMake(disk, trash, lastName(bin)))
    } finally {
      disk.close(trash)
    }
  } finally {
    disk.close(above)
  }
}

function openThere(disk: Disk, bin: AbsPath): DirHandle {
  const above = disk.openRoot(parentDir(bin)!)
  try {
    return openOwn(disk, above, lastName(bin))
  } finally {
    disk.close(above)
  }
}

function synced(disk: Disk, parent: DirHandle, dir: DirHandle): DirHandle {
  disk.sync(parent)
  return dir
}

/** Opens the folder in which something has its name. @throws MISSING ... in our words, about `path` */
export function openParent(disk: Disk, path: AbsPath, action: string): DirHandle {
  try {
    return disk.openRoot(parentDir(path)!)
  } catch (err) {
    throw diskError(action, path, err)
  }
}

/** undefined for `/`. */
export function parentDir(path: AbsPath): AbsPath | undefined {
  return path === '/' ? undefined : ((path.slice(0, path.lastIndexOf('/')) || '/') as AbsPath)
}

export const lastName = (path: AbsPath): string => path.slice(path.lastIndexOf('/') + 1)

/** Whether something is not there, whatever is missing of the way. */
export const isMissing = (err: unknown): boolean => ['ENOENT', 'ENOTDIR'].includes(errorCode(err))
