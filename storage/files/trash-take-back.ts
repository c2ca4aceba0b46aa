import { type AbsPath, displayPath, errorCode, type FileName, SpacedriveError } from '../base/index.js'
import { type DirHandle, type Disk, findStat } from './disk.js'
import { freeNames } from './free-name.js'
import { giveName } from './give-name.js'
import { diskError, problemOf } from './problems.js'
import type { RootHandle } from './root.js'
import { isMissing, lastName, parentDir } from './trash-bin.js'
import type { TakeBack, TakeBackResult } from './trash-files.js'
import { readSmallFile, unlinkIfThere } from './trash-manifest.js'
import { removeEmptyBatch } from './trash-put.js'
import { HANDFUL } from './tree.js'

/** Somebody who takes every free name just before us can go on for ever; we do not. */
const MAX_RACES = 100
/** In a batch: an item that is being given a second name, where a rename cannot refuse to replace. */
const INTENT_NAME = 'taking-back.json'
const MAX_INTENT_BYTES = 64 * 1024

/** See `TrashFiles.takeBack`. */
export function takeBackFromTrash(disk: Disk, bin: RootHandle, items: readonly TakeBack[]): TakeBackResult[] {
  const results = items.map((item): TakeBackResult => {
    try {
      return takeOne(disk, bin, item)
    } catch (cause) {
      return { done: false, problem: problemOf(item.to, diskError('restore', item.to, cause)) }
    }
  })
  const back = items.filter((_, i) => results[i]!.done)
  if (back.length === 0) return results
  try {
    syncBack(disk, bin, back)
    for (const id of new Set(back.map(i => i.batch))) removeEmptyBatch(disk, bin.dir, id)
    disk.sync(bin.dir)
  } catch (err) {
    throw diskError('make durable what came back from the trash', bin.path, err)
  }
  return results
}

/** The names that came and those that went; before anything tells that they did. */
function syncBack(disk: Disk, bin: RootHandle, back: readonly TakeBack[]): void {
  if (bin.capabilities.syncWhole && back.length >= HANDFUL) {
    disk.syncAll(bin.dir)
    return
  }
  for (const path of new Set(back.map(i => parentDir(i.to)!))) {
    const parent = disk.openRoot(path)
    disk.sync(parent)
    disk.close(parent)
  }
  for (const id of new Set(back.map(i => i.batch))) {
    const batch = disk.openDir(bin.dir, id)
    disk.sync(batch)
    disk.close(batch)
  }
}

function takeOne(disk: Disk, bin: RootHandle, item: TakeBack): TakeBackResult {
  const batch = openBatch(disk, bin.dir, item)
  try {
    const parent = makeParents(disk, parentDir(item.to)!)
    try {
      if (disk.stat(parent).device !== bin.device) {
        throw new SpacedriveError(
          'OTHER_FILE_SYSTEM',
          `could not restore ${displayPath(item.to)}: the trash lies on another file system`,
          { hint: 'Restore it on its own volume, then move it.' }
        )
      }
      const name = nameBack(disk, bin, batch, item, parent)
      const path = `${parentDir(item.to) === '/' ? '' : parentDir(item.to)}/${name}` as AbsPath
      return { done: true, path, stat: disk.lstat(parent, name) }
    } finally {
      disk.close(parent)
    }
  } finally {
    disk.close(batch)
  }
}

function nameBack(disk: Disk, bin: RootHandle, batch: DirHandle, item: TakeBack, parent: DirHandle): string {
  const from = String(item.n)
  const { kind } = disk.lstat(batch, from)
  const byLink = !bin.capabilities.noReplace && bin.capabilities.hardLinks && kind !== 'directory'
  let races = 0
  for (const name of freeNames(lastName(item.to) as FileName, kind === 'directory')) {
    if (findStat(disk, parent, name) !== undefined) continue
    if (byLink) writeIntent(disk, batch, { n: item.n, to: `${parent.path === '/' ? '' : parent.path}/${name}` })
    try {
      giveName(disk, bin.capabilities, batch, from, parent, name)
      if (byLink) {
        disk.sync(parent) // before the intent goes: until then the second name could be all that a power loss leaves
        disk.sync(batch)
        disk.unlink(batch, INTENT_NAME)
      }
      return name
    } catch (err) {
      if (byLink) unlinkIfThere(disk, batch, INTENT_NAME)
      if (errorCode(err) !== 'EEXIST' || ++races > MAX_RACES) throw err
    }
  }
  throw new Error('unreachable: free names do not end')
}

function openBatch(disk: Disk, bin: DirHandle, { batch, n, to }: TakeBack): DirHandle {
  try {
    const dir = disk.openDir(bin, batch)
    if (findStat(disk, dir, String(n)) !== undefined) return dir
    disk.close(dir)
  } catch (err) {
    if (!isMissing(err)) throw err
  }
  throw new SpacedriveError('GONE', `could not restore ${displayPath(to)}: it is no longer in the trash`)
}

/** Opens a folder, making what is missing of it as an ordinary program would. */
function makeParents(disk: Disk, path: AbsPath): DirHandle {
  try {
    return disk.openRoot(path)
  } catch (err) {
    const above = parentDir(path)
    if (errorCode(err) !== 'ENOENT' || above === undefined) throw diskError('restore into', path, err)
    const parent = makeParents(disk, above)
    try {
      disk.makeDir(parent, lastName(path), 0o777)
      disk.sync(parent)
      return disk.openDir(parent, lastName(path))
    } catch (cause) {
      throw diskError('make', path, cause)
    } finally {
      disk.close(parent)
    }
  }
}

function writeIntent(disk: Disk, batch: DirHandle, intent: { n: number; to: string }): void {
  unlinkIfThere(disk, batch, INTENT_NAME)
  const fd = disk.open(batch, INTENT_NAME, 'create')
  try {
    disk.write(fd, Buffer.from(JSON.stringify(intent)), 0)
    disk.sync(fd)
  } finally {
    disk.close(fd)
  }
  disk.sync(batch)
}

/** After a crash: what has got its second name already loses the one in the trash. */
export function finishTakingBack(disk: Disk, batch: DirHandle): void {
  const text = readSmallFile(disk, batch, INTENT_NAME, MAX_INTENT_BYTES)
  if (text === undefined) return
  const { n, to } = parseIntent(text)
  const there = to === undefined ? undefined : findPath(disk, to)
  const here = findStat(disk, batch, String(n))
  if (there !== undefined && here !== undefined && there.inode === here.inode && there.device === here.device) {
    disk.unlink(batch, String(n))
  }
  disk.unlink(batch, INTENT_NAME)
  disk.sync(batch)
}

/** One that a power loss tore was never acted upon. */
function parseIntent(text: string): { n?: number; to?: AbsPath } {
  try {
    return JSON.parse(text) as { n: number; to: AbsPath }
  } catch {
    return {}
  }
}

function findPath(disk: Disk, path: AbsPath): { inode: bigint; device: bigint } | undefined {
  try {
    const parent = disk.openRoot(parentDir(path)!)
    try {
      return findStat(disk, parent, lastName(path))
    } finally {
      disk.close(parent)
    }
  } catch (err) {
    if (isMissing(err)) return undefined
    throw err
  }
}
