/**
 * `.spacedrive/versions/` at a root, as tasks of plain values: content files by their BLAKE3 (`content/ab/HASH`, whole, as
 * they were when they lost their name) and lists of lines (`lists/NAME`). What the lines mean is sync/versions' affair.
 *
 * Content gets here by one rename out of the staging place where `place` put it aside, never by a copy; lines are durable
 * before anything they speak of is moved. So a crash leaves content in staging that a line names: `keepAside` finds it there.
 */
import { type ContentHash, errorCode, isContentHash, parentOf, type RelPath, SpacedriveError } from '../base/index.js'
import { openArea } from './area.js'
import { copyAcross } from './copy-across.js'
import type { DirHandle, Disk } from './disk.js'
import { findStat } from './disk.js'
import { hashOfFile } from './hash-of-file.js'
import { AREA_NAME } from './ours.js'
import type { RootAccess } from './root.js'
import { ifThere } from './staging-place.js'
import type { StagingHandle } from './staging-writer.js'

const VERSIONS = 'versions'
const CONTENT = `${AREA_NAME}/${VERSIONS}/content` as RelPath
const LISTS = `${AREA_NAME}/${VERSIONS}/lists` as RelPath
/** Below the tree of a staging place: what was moved aside for the version store, as `HASH` or `HASH.N`. */
export const ASIDE = 'aside'
const LIST_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

/** Where a batch puts what it replaces or removes, so that `keepAside` finds it: `n` tells equal contents apart. */
export function asidePath(hash: ContentHash, n: number): RelPath {
  return `${ASIDE}/${hash}.${n}` as RelPath
}

/** Which content is to lie at such a path; undefined: none, or it is no such path. */
export function asideHash(path: RelPath): ContentHash | undefined {
  const hash = path.slice(`${ASIDE}/`.length, path.lastIndexOf('.'))
  return path.startsWith(`${ASIDE}/`) && isContentHash(hash) ? hash : undefined
}

/** Appends whole lines, durable on return. What a crash cut off at the end is closed by a line end of its own. */
export function appendLines(access: RootAccess, list: string, text: string): void {
  const { disk } = access
  const dir = openLists(access)
  let fd: number
  let made = false
  try {
    fd = disk.open(dir, checkList(list), 'write')
  } catch (err) {
    if (errorCode(err) !== 'ENOENT') throw err
    fd = disk.open(dir, list, 'create', 0o600)
    made = true
  }
  try {
    const end = disk.stat(fd).sizeBytes
    disk.write(fd, Buffer.from(endsInTheMiddle(disk, dir, list, end) ? `\n${text}` : text), end)
    disk.sync(fd)
  } finally {
    disk.close(fd)
  }
  if (made) disk.sync(dir)
}

export interface VersionList {
  readonly name: string
  readonly sizeBytes: number
}

export function listLists({ disk, dirs }: RootAccess): VersionList[] {
  const dir = ifThere(() => dirs.open(LISTS))
  if (dir === undefined) return []
  return disk
    .list(dir)
    .filter(name => LIST_NAME.test(name))
    .map(name => ({ name, sizeBytes: disk.lstat(dir, name).sizeBytes }))
}

/** At most `maxBytes` from `position` on; empty at the end, or when there is no such list. */
export function readList(
  { disk, dirs }: RootAccess,
  list: string,
  { position, maxBytes }: { position: number; maxBytes: number }
): Uint8Array {
  const dir = ifThere(() => dirs.open(LISTS))
  if (dir === undefined || findStat(disk, dir, checkList(list)) === undefined) return new Uint8Array(0)
  return readPiece(disk, dir, list, position, maxBytes)
}

/** Puts `from` in the place of `to`, or removes `to` without one; durable. */
export function swapList(access: RootAccess, { to, from }: { to: string; from?: string }): void {
  const { disk } = access
  const dir = openLists(access)
  if (from !== undefined) disk.rename(dir, checkList(from), dir, checkList(to), 'replace')
  else if (findStat(disk, dir, checkList(to)) !== undefined) disk.unlink(dir, to)
  disk.sync(dir)
}

export interface StoredContent {
  readonly hash: ContentHash
  readonly sizeBytes: number
}

/** Everything in one of the 256 parts of the store (`00` to `ff`). */
export function listContent({ disk, dirs }: RootAccess, part: string): StoredContent[] {
  const dir = ifThere(() => dirs.open(`${CONTENT}/${part}` as RelPath))
  if (dir === undefined) return []
  return disk
    .list(dir)
    .filter(isContentHash)
    .map(hash => ({ hash, sizeBytes: disk.lstat(dir, hash).sizeBytes }))
}

export function hasContent({ disk, dirs }: RootAccess, hashes: readonly ContentHash[]): boolean[] {
  return hashes.map(hash => {
    const dir = ifThere(() => dirs.open(partOf(hash)))
    return dir !== undefined && findStat(disk, dir, hash) !== undefined
  })
}

export function removeContent({ disk, dirs }: RootAccess, hashes: readonly ContentHash[]): number {
  let removed = 0
  for (const hash of hashes) {
    const dir = ifThere(() => dirs.open(partOf(hash)))
    if (dir === undefined || findStat(disk, dir, hash) === undefined) continue
    disk.unlink(dir, hash)
    removed++
  }
  return removed
}

/** Hashes what is stored under a hash. @returns its size, or what is wrong with it */
export function verifyContent(
  { disk, dirs }: RootAccess,
  hash: ContentHash
): { state: 'whole' | 'different' | 'missing'; sizeBytes: number } {
  const dir = ifThere(() => dirs.open(partOf(hash)))
  if (dir === undefined || findStat(disk, dir, hash) === undefined) return { state: 'missing', sizeBytes: 0 }
  const { hash: is, sizeBytes } = hashOfFile(disk, dir, hash)
  return { state: is === hash ? 'whole' : 'different', sizeBytes }
}

/** Copies a content into a staging place, to get a name again; the store keeps its own. @throws {SpacedriveError} NO_VERSION */
export function stageContent(access: RootAccess, place: StagingHandle, hash: ContentHash, path: RelPath): void {
  const { disk, dirs } = access
  const dir = ifThere(() => dirs.open(partOf(hash)))
  if (dir === undefined || findStat(disk, dir, hash) === undefined)
    throw new SpacedriveError('NO_VERSION', `the content ${hash.slice(0, 12)} is not kept here`)
  const parent = parentOf(path)
  const to = parent === '' ? place.tree : disk.openDir(place.tree, parent)
  try {
    copyAcross(disk, dir, hash, to, path.slice(parent === '' ? 0 : parent.length + 1))
  } finally {
    if (to !== place.tree) disk.close(to)
  }
}

export const partOf = (hash: ContentHash): RelPath => `${CONTENT}/${hash.slice(0, 2)}` as RelPath

function openLists(access: RootAccess): DirHandle {
  return openMade(access, LISTS)
}

/** Opens a directory of the store, making what is missing on the way there; durable. */
export function openMade(access: RootAccess, rel: RelPath): DirHandle {
  const found = ifThere(() => access.dirs.open(rel))
  if (found !== undefined) return found
  const { disk, root } = access
  disk.close(openArea(disk, root.dir, VERSIONS))
  return access.dirs.make(rel, { durable: true })
}

function endsInTheMiddle(disk: Disk, dir: DirHandle, list: string, end: number): boolean {
  return end > 0 && readPiece(disk, dir, list, end - 1, 1)[0] !== 0x0a
}

function readPiece(disk: Disk, dir: DirHandle, name: string, position: number, maxBytes: number): Uint8Array {
  const fd = disk.open(dir, name, 'read')
  try {
    const into = new Uint8Array(maxBytes)
    let n = 0
    while (n < maxBytes) {
      const got = disk.read(fd, into.subarray(n), position + n)
      if (got === 0) break
      n += got
    }
    return into.subarray(0, n)
  } finally {
    disk.close(fd)
  }
}

function checkList(name: string): string {
  if (!LIST_NAME.test(name)) throw new SpacedriveError('INVALID_ID', `${name} is no name of a list of versions`)
  return name
}
