import { randomUUID } from 'node:crypto'
import { displayPath, errorCode, SpacedriveError } from '../base/index.js'
import { type DirHandle, type Disk, findStat } from './disk.js'
import { AREA_NAME, MARKER_NAME, TEMP_PREFIX } from './ours.js'
import { removeTree } from './tree.js'

/**
 * Opens a folder within `.spacedrive`, making both and the marker where they are missing.
 * @throws {SpacedriveError} NOT_PRIVATE when it belongs to somebody else
 */
export function openArea(disk: Disk, top: DirHandle, child: string): DirHandle {
  if (findStat(disk, top, AREA_NAME) === undefined) makeArea(disk, top)
  const area = openOrMake(disk, top, AREA_NAME)
  try {
    ensureMarker(disk, area)
    ensureLeftAlone(disk, area)
    const dir = openOrMake(disk, area, child)
    disk.sync(area)
    return dir
  } finally {
    disk.close(area)
    disk.sync(top)
  }
}

/** The area before it has its name: every daemon makes it here, and finishes what another one, or a crash, left of it. */
const NEW_AREA = `${TEMP_PREFIX}area`

/**
 * It gets its name with the marker in it: after a power loss an area without one would be a folder like any other, and be synced.
 * RACE: of two that make it at the same moment one comes too late, and takes what it made away again.
 */
function makeArea(disk: Disk, top: DirHandle): void {
  const area = openOrMake(disk, top, NEW_AREA)
  try {
    ensureMarker(disk, area)
    ensureLeftAlone(disk, area)
  } finally {
    disk.close(area)
  }
  try {
    // Nothing is ever lost: a directory takes the place of an empty one at most.
    disk.rename(top, NEW_AREA, top, AREA_NAME, 'replace')
  } catch (err) {
    if (!['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes(errorCode(err))) throw err
    removeTree(disk, top, NEW_AREA)
  }
}

/** Without the marker the area would not be ours to a scan. Whoever comes first writes it; it is never replaced here. */
function ensureMarker(disk: Disk, area: DirHandle): void {
  if (findStat(disk, area, MARKER_NAME) !== undefined) return
  writeOnce(disk, area, MARKER_NAME, `${JSON.stringify({ version: 1, root: randomUUID(), syncs: {} })}\n`)
}

/** Read by git: `git add .` in a folder that is synced must not take the marker and the versions into the repository. */
const LEFT_ALONE = '.gitignore'

function ensureLeftAlone(disk: Disk, area: DirHandle): void {
  if (findStat(disk, area, LEFT_ALONE) === undefined) writeOnce(disk, area, LEFT_ALONE, '*\n')
}

/** Whole and durable, or not there; of two that write it the first one's stays. */
function writeOnce(disk: Disk, area: DirHandle, name: string, text: string): void {
  const temp = `${MARKER_NAME}.${randomUUID()}`
  const fd = disk.open(area, temp, 'create')
  try {
    disk.write(fd, Buffer.from(text), 0)
    disk.sync(fd)
  } finally {
    disk.close(fd)
  }
  try {
    disk.link(area, temp, area, name)
    disk.unlink(area, temp)
  } catch (err) {
    if (errorCode(err) === 'EEXIST') disk.unlink(area, temp)
    else disk.rename(area, temp, area, name, 'replace') // no hard links here
  }
  disk.sync(area)
}

/** A private folder of ours beneath another. */
export function openOrMake(disk: Disk, parent: DirHandle, name: string): DirHandle {
  try {
    disk.makeDir(parent, name, 0o700)
  } catch (err) {
    if (errorCode(err) !== 'EEXIST') throw err
  }
  return openOwn(disk, parent, name)
}

/** @throws {SpacedriveError} NOT_PRIVATE when it belongs to somebody else: who could put links and files into it */
export function openOwn(disk: Disk, parent: DirHandle, name: string): DirHandle {
  const dir = disk.openDir(parent, name)
  const { uid, mode } = disk.stat(dir)
  const user = process.geteuid?.()
  if (user !== undefined && uid !== user) {
    disk.close(dir)
    throw new SpacedriveError('NOT_PRIVATE', `could not use ${displayPath(dir.path)}: it belongs to user ${uid}`)
  }
  if (mode !== 0o700 && name !== AREA_NAME) disk.setMode(dir, 0o700)
  return dir
}
