import { randomUUID } from 'node:crypto'
import { type AbsPath, displayPath, errorCode, hasCode, SpacedriveError } from '../base/index.js'
import type { Capabilities } from './capabilities.js'
import { Dirs } from './dirs.js'
import type { DirHandle, Disk } from './disk.js'
import type { Space } from './files.js'
import { parseStagingName, stagingName } from './ours.js'
import { probe } from './probe.js'
import { diskError } from './problems.js'
import { removeTree } from './tree.js'

/** An open root as plain values, good in every thread of the process until it is closed. */
export interface RootHandle {
  readonly path: AbsPath
  readonly dir: DirHandle
  readonly device: bigint
  readonly inode: bigint
  readonly mount: bigint
  /** See `ownerTag`. */
  readonly owner: string
  readonly capabilities: Capabilities
}

/** A root as the functions of this folder use it, within one thread and one call. */
export interface RootAccess {
  readonly disk: Disk
  readonly root: RootHandle
  readonly dirs: Dirs
}

/** What stays free whatever we do: who has less has trouble enough (SYNC.md 5). */
const RESERVE_SHARE = 100
export const RESERVE_BYTES = 512 * 1024 * 1024

export interface OpenRootInit {
  readonly path: AbsPath
  readonly owner: string
  readonly create: boolean
  /** What earlier roots on the same file systems could do, by `deviceKey`. */
  readonly known: Readonly<Record<string, Capabilities>>
}

export const deviceKey = ({ device, mount }: Pick<RootHandle, 'device' | 'mount'>): string => `${device}:${mount}`

/** See `Files.openRoot`. */
export function openRootHandle(disk: Disk, { path, owner, create, known }: OpenRootInit): RootHandle {
  let dir: DirHandle
  try {
    dir = disk.openRoot(path)
  } catch (err) {
    if (!create || !hasCode(err, 'ENOENT')) throw diskError('open', path, err)
    dir = makeRoot(disk, path)
  }
  try {
    return handleOf(disk, dir, { path, owner, known })
  } catch (err) {
    disk.close(dir)
    throw diskError('use', path, err)
  }
}

/** The same over a folder that is open already. */
export function handleOf(disk: Disk, dir: DirHandle, { path, owner, known }: Omit<OpenRootInit, 'create'>): RootHandle {
  const { device, inode, mount } = disk.stat(dir)
  const capabilities = known[deviceKey({ device, mount })] ?? probeIn(disk, dir, owner)
  return { path, dir, device, inode, mount, owner, capabilities }
}

function makeRoot(disk: Disk, path: AbsPath): DirHandle {
  const at = path.lastIndexOf('/')
  let parent: DirHandle | undefined
  try {
    parent = disk.openRoot(path.slice(0, at) || '/')
    disk.makeDir(parent, path.slice(at + 1), 0o777)
    disk.sync(parent)
    return disk.openRoot(path)
  } catch (err) {
    if (parent === undefined && errorCode(err) === 'ENOENT')
      throw new SpacedriveError(
        'MISSING',
        `could not make ${displayPath(path)}: the folder it shall lie in is not there`,
        {
          cause: err,
          hint: 'Make that one first, or name another place; is its disk mounted?'
        }
      )
    throw diskError('make', path, err)
  } finally {
    if (parent !== undefined) disk.close(parent)
  }
}

/** Names such folders after the process: one whose process is another's was left by a crash. One process a data directory. */
const PROBE_ID = /^([0-9a-f]{8})-0000-8000-8000-/
const probeId = (): string => `${process.pid.toString(16).padStart(8, '0')}-0000-8000-8000-${randomUUID().slice(-12)}`

/** Tries out the file system in a folder of ours, which the next process takes away where a crash left it. */
function probeIn(disk: Disk, dir: DirHandle, owner: string): Capabilities {
  removeOldProbes(disk, dir, owner)
  const name = stagingName(owner, probeId())
  disk.makeDir(dir, name, 0o700)
  try {
    const place = disk.openDir(dir, name)
    try {
      return probe(disk, place)
    } finally {
      disk.close(place)
    }
  } finally {
    removeTree(disk, dir, name)
  }
}

function removeOldProbes(disk: Disk, dir: DirHandle, owner: string): void {
  const mine = PROBE_ID.exec(probeId())![1]
  for (const name of namesIn(disk, dir)) {
    const place = parseStagingName(name)
    const process = place?.owner === owner ? PROBE_ID.exec(place.id)?.[1] : undefined
    if (process !== undefined && process !== mine) removeTree(disk, dir, name)
  }
}

/** A folder that may not be listed may still be written to. */
function namesIn(disk: Disk, dir: DirHandle): readonly string[] {
  try {
    return disk.list(dir)
  } catch (err) {
    if (hasCode(err, 'EACCES', 'EPERM')) return []
    throw err
  }
}

/** Opens what one call needs of a root, and closes it again; whatever the disk says comes out in our words. */
export async function withRoot<T>(
  disk: Disk,
  root: RootHandle,
  fn: (access: RootAccess) => T | Promise<T>
): Promise<T> {
  const dirs = new Dirs(disk, root.dir, root.device)
  try {
    return await fn({ disk, root, dirs })
  } catch (err) {
    throw diskError('work in', root.path, err)
  } finally {
    dirs.close()
  }
}

/** @throws {SpacedriveError} ROOT_MOVED when the path leads to another folder by now, or to none */
export function ensureSameRoot({ disk, root }: Pick<RootAccess, 'disk' | 'root'>): void {
  let there: DirHandle | undefined
  try {
    there = disk.openRoot(root.path)
    const { device, inode } = disk.stat(there)
    if (device === root.device && inode === root.inode) return
  } catch (err) {
    if (!hasCode(err, 'ENOENT', 'ENOTDIR')) throw diskError('use', root.path, err)
  } finally {
    if (there !== undefined) disk.close(there)
  }
  throw new SpacedriveError(
    'ROOT_MOVED',
    `could not write into ${root.path}: the folder was moved, replaced or removed`,
    {
      hint: 'Put it back and try again.'
    }
  )
}

export function spaceOf(disk: Disk, root: RootHandle): Space {
  const { freeBytes, totalBytes } = disk.space(root.dir)
  return { freeBytes, totalBytes, reserveBytes: Math.max(Math.ceil(totalBytes / RESERVE_SHARE), RESERVE_BYTES) }
}

/** @throws {SpacedriveError} NO_SPACE with the figures, when `bytes` more would eat into the reserve */
export function ensureSpace(path: string, { freeBytes, totalBytes, reserveBytes }: Space, bytes: number): void {
  if (freeBytes - bytes >= reserveBytes) return
  const mib = (n: number): string => `${Math.ceil(n / 1024 / 1024)} MiB`
  throw new SpacedriveError(
    'NO_SPACE',
    `could not begin: ${mib(bytes)} are needed at ${path}, ${mib(freeBytes)} are free, and ${mib(reserveBytes)} of them must stay free`,
    {
      hint: 'Free some space and try again; nothing was written.',
      details: { neededBytes: bytes, freeBytes, totalBytes, reserveBytes }
    }
  )
}
