import { displayPath, SpacedriveError } from '../base/index.js'
import { type DirHandle, type Disk, findStat } from './disk.js'
import type { EntryStat } from './fingerprint.js'
import { giveName } from './give-name.js'
import { differs } from './look.js'
import { measureTree } from './measure-tree.js'
import { diskError, isFatal, problemOf } from './problems.js'
import type { RootHandle } from './root.js'
import { isMissing, lastName, openParent } from './trash-bin.js'
import { MAX_TRASH_BATCH, type PutResult, type TrashBatchHeader, type TrashItem } from './trash-files.js'
import { writeManifest } from './trash-manifest.js'
import { HANDFUL } from './tree.js'

interface Accepted {
  readonly item: TrashItem
  readonly index: number
  readonly before: EntryStat
}

/** See `TrashFiles.put`. */
export function putInTrash(
  disk: Disk,
  bin: RootHandle,
  header: TrashBatchHeader,
  items: readonly TrashItem[]
): PutResult[] {
  if (items.length > MAX_TRASH_BATCH) {
    throw new SpacedriveError(
      'BATCH_TOO_LARGE',
      `expected at most ${MAX_TRASH_BATCH} items in a batch, got ${items.length}`
    )
  }
  const results = new Array<PutResult>(items.length)
  const accepted = items.flatMap((item, index): Accepted[] => {
    try {
      return [{ item, index, before: lookBefore(disk, bin, item) }]
    } catch (err) {
      results[index] = failed(item, err)
      return []
    }
  })
  if (accepted.length === 0) return results
  const batch = makeBatch(disk, bin, header, accepted)
  const parents = new Parents(disk)
  try {
    let fatal: unknown
    for (const [n, { item, index, before }] of accepted.entries()) {
      if (fatal !== undefined) {
        results[index] = failed(item, fatal)
        continue
      }
      try {
        results[index] = putOne(disk, bin, batch, n, item, before, parents)
      } catch (cause) {
        const err = diskError('throw away', item.at, cause)
        if (isFatal(err)) fatal = err
        results[index] = failed(item, err)
      }
    }
    if (bin.capabilities.syncWhole && accepted.length >= HANDFUL) disk.syncAll(batch)
    else {
      disk.sync(batch)
      parents.sync()
    }
  } catch (err) {
    throw diskError('make durable what was thrown away into', bin.path, err)
  } finally {
    parents.close()
    disk.close(batch)
  }
  if (!results.some(r => r.done || r.kept !== undefined)) removeEmptyBatch(disk, bin.dir, header.id)
  return results
}

/** Where it lies must be on the bin's file system, and it must be what the caller saw. */
function lookBefore(disk: Disk, bin: RootHandle, { at, expected }: TrashItem): EntryStat {
  const parent = openParent(disk, at, 'throw away')
  try {
    const { device, mount } = disk.stat(parent)
    const before = findStat(disk, parent, lastName(at))
    if (before === undefined) throw Object.assign(new Error(), { code: 'ENOENT' })
    if (device !== bin.device || mount !== bin.mount || before.device !== bin.device) throw otherFileSystem(at)
    if (differs({ root: bin }, expected, before, false)) throw changed(at)
    return before
  } catch (err) {
    throw diskError('throw away', at, err)
  } finally {
    disk.close(parent)
  }
}

function makeBatch(disk: Disk, bin: RootHandle, header: TrashBatchHeader, accepted: readonly Accepted[]): DirHandle {
  let batch: DirHandle | undefined
  try {
    disk.makeDir(bin.dir, header.id, 0o700)
    batch = disk.openDir(bin.dir, header.id)
    writeManifest(disk, batch, {
      header,
      items: accepted.map(({ item, before }) => ({
        origin: item.origin ?? item.at,
        kind: before.kind,
        sizeBytes: item.bytes ?? before.sizeBytes,
        files: item.files ?? 1
      }))
    })
    disk.sync(bin.dir)
    return batch
  } catch (err) {
    if (batch !== undefined) disk.close(batch)
    throw diskError('write into the trash', bin.path, err)
  }
}

function putOne(
  disk: Disk,
  bin: RootHandle,
  batch: DirHandle,
  n: number,
  item: TrashItem,
  before: EntryStat,
  parents: Parents
): PutResult {
  const { at } = item
  const parent = parents.open(at)
  // Nobody else makes names in the bin, and this one is new: nothing can be replaced.
  disk.rename(parent, lastName(at), batch, String(n), 'replace')
  const out = disk.lstat(batch, String(n))
  if (!differs({ root: bin }, before, out)) return kept(disk, batch, n, item, out)
  // Somebody wrote between look and rename: back with it, unless by now something else has the name.
  const { problem } = failed(item, changed(at))
  try {
    giveName(disk, bin.capabilities, batch, String(n), parent, lastName(at))
  } catch {
    return { done: false, problem, kept: kept(disk, batch, n, item, out) }
  }
  return { done: false, problem }
}

function kept(
  disk: Disk,
  batch: DirHandle,
  n: number,
  { files, bytes }: TrashItem,
  stat: EntryStat
): Extract<PutResult, { done: true }> {
  if (stat.kind !== 'directory') return { done: true, n, stat, files: 1, bytes: stat.sizeBytes }
  if (files !== undefined && bytes !== undefined) return { done: true, n, stat, files, bytes }
  const below = measureTree(disk, batch, String(n))
  return { done: true, n, stat, files: below.files, bytes: below.bytes }
}

/** Takes a batch away of which nothing is left but the manifest. */
export function removeEmptyBatch(disk: Disk, bin: DirHandle, id: string): void {
  const batch = disk.openDir(bin, id)
  try {
    const names = disk.list(batch)
    if (names.some(name => /^\d/.test(name))) return
    disk.sync(batch) // the manifest outlives what it tells of
    for (const name of names) disk.unlink(batch, name)
  } finally {
    disk.close(batch)
  }
  disk.removeDir(bin, id)
}

function ifThere<T>(fn: () => T): T | undefined {
  try {
    return fn()
  } catch (err) {
    if (isMissing(err)) return undefined
    throw err
  }
}

const failed = (item: TrashItem, err: unknown): Extract<PutResult, { done: false }> => ({
  done: false,
  problem: problemOf(item.origin ?? item.at, err)
})

const changed = (at: string): SpacedriveError =>
  new SpacedriveError('CHANGED', `could not throw away ${displayPath(at)}: it was changed meanwhile`, {
    hint: 'Look at it and try again.'
  })

const otherFileSystem = (at: string): SpacedriveError =>
  new SpacedriveError(
    'OTHER_FILE_SYSTEM',
    `could not throw away ${displayPath(at)}: the trash lies on another file system; --permanent removes it for good`
  )

/** The folders that things are taken from: a few at a time are open. */
class Parents {
  readonly #disk: Disk
  readonly #open = new Map<string, DirHandle>()
  readonly #seen = new Set<string>()

  constructor(disk: Disk) {
    this.#disk = disk
  }

  open(at: TrashItem['at']): DirHandle {
    const path = at.slice(0, at.lastIndexOf('/')) || '/'
    const known = this.#open.get(path)
    if (known !== undefined) return known
    if (this.#open.size >= MAX_OPEN_PARENTS) this.close()
    const dir = this.#disk.openRoot(path)
    this.#open.set(path, dir)
    this.#seen.add(path)
    return dir
  }

  /** Makes durable that the names are gone. */
  sync(): void {
    for (const path of this.#seen) {
      const known = this.#open.get(path)
      const dir = known ?? ifThere(() => this.#disk.openRoot(path))
      if (dir === undefined) continue // its folder is gone as well
      this.#disk.sync(dir)
      if (known === undefined) this.#disk.close(dir)
    }
  }

  close(): void {
    for (const dir of this.#open.values()) this.#disk.close(dir)
    this.#open.clear()
  }
}

/** Open directories kept for the next item; several threads do, and 1,024 descriptors is a usual limit. */
const MAX_OPEN_PARENTS = 64
