import { displayPath, nameOf, parentOf, type RelPath, ROOT, SpacedriveError } from '../base/index.js'
import type { DirHandle } from './disk.js'
import { findAt, ifThere } from './place-step.js'
import { MAX_BATCH_BYTES, MAX_PLACED_STEPS, type PlaceStep, type StagedSource } from './place-steps.js'
import { diskError } from './problems.js'
import type { RootAccess } from './root.js'
import type { StagingHandle } from './staging-writer.js'
import { HANDFUL, syncTree } from './tree.js'

/** Where something staged lies, relative to the root. */
export type Locate = (source: StagedSource) => RelPath

/** @throws {SpacedriveError} BATCH_TOO_LARGE */
export function ensureBounds(access: RootAccess, steps: readonly PlaceStep[], locate: Locate): void {
  if (steps.length > MAX_PLACED_STEPS) {
    throw new SpacedriveError(
      'BATCH_TOO_LARGE',
      `expected at most ${MAX_PLACED_STEPS} steps in a batch, got ${steps.length}`
    )
  }
  const staged = stagedSources(steps)
  if (staged.length < 2) return
  let bytes = 0
  for (const source of staged) bytes += source.sizeBytes ?? findAt(access, locate(source))?.sizeBytes ?? 0
  if (bytes > MAX_BATCH_BYTES) {
    throw new SpacedriveError('BATCH_TOO_LARGE', `expected at most ${MAX_BATCH_BYTES} bytes in a batch, got ${bytes}`)
  }
}

/**
 * Makes staged content durable before it gets a name: a handful one by one, else all at once, on descriptors that were open
 * before it was written. @throws {SpacedriveError} DISK_ERROR
 */
export function syncStaged(
  access: RootAccess,
  places: ReadonlyMap<string, StagingHandle>,
  steps: readonly PlaceStep[],
  locate: Locate
): void {
  const { disk, root } = access
  const staged = stagedSources(steps)
  try {
    if (root.capabilities.syncWhole && staged.length >= HANDFUL) {
      for (const id of new Set(staged.map(s => s.staging))) disk.syncAll(places.get(id)!.tree)
      return
    }
    for (const source of staged) syncOne(access, locate(source), places.get(source.staging)!.tree)
    for (const way of waysToReplaced(steps, locate)) {
      const dir = ifThere(() => access.dirs.open(way))
      if (dir !== undefined) disk.sync(dir)
    }
  } catch (err) {
    throw diskError('make durable what was staged in', root.path, err)
  }
}

/** The directories above what replaces something, within the root: for a moment the old lies there, and is to be found again. */
function waysToReplaced(steps: readonly PlaceStep[], locate: Locate): Set<RelPath> {
  const ways = new Set<RelPath>()
  for (const step of steps) {
    if (step.kind !== 'replace') continue
    for (let way = parentOf(locate(step.from)); way !== ROOT && !ways.has(way); way = parentOf(way)) ways.add(way)
  }
  return ways
}

function syncOne(access: RootAccess, path: RelPath, tree: DirHandle): void {
  const { disk, dirs, root } = access
  const { syncWhole } = root.capabilities
  const at = findAt(access, path)
  if (at === undefined) return // it gets no name either: its own step says so
  const { kind, mode } = at
  if (kind === 'directory') syncTree(disk, dirs.open(path), syncWhole)
  // Where the whole cannot be synced, each file was when it was written.
  if (kind !== 'file' || !syncWhole) return
  if ((mode & 0o400) === 0) {
    disk.syncAll(tree)
    return
  }
  const fd = disk.open(dirs.open(parentOf(path)), nameOf(path), 'read')
  try {
    disk.sync(fd)
  } finally {
    disk.close(fd)
  }
}

/** Makes the names durable: every directory that got or lost one. */
export function syncPlaced({ disk, dirs, root }: RootAccess, steps: readonly PlaceStep[], locate: Locate): void {
  if (root.capabilities.syncWhole && steps.length >= HANDFUL) {
    disk.syncAll(root.dir)
    return
  }
  const directories = new Set<RelPath>()
  for (const step of steps) {
    directories.add(parentOf(step.path))
    if (step.kind === 'move') directories.add(parentOf(step.to))
    if ('from' in step) directories.add(parentOf(locate(step.from)))
    if ('aside' in step) directories.add(parentOf(locate(step.aside)))
    if (step.kind === 'make-directory') directories.add(step.path)
    // Its step failed, or it is gone by now, whatever stands on the way to it.
    if (step.kind === 'attributes') ifThere(() => syncAttributes({ disk, dirs, root }, step.path))
  }
  for (const path of directories) {
    let dir: DirHandle
    try {
      dir = dirs.open(path)
    } catch {
      continue // its step failed, or it is gone again
    }
    disk.sync(dir)
  }
}

function syncAttributes({ disk, dirs }: RootAccess, path: RelPath): void {
  const dir = dirs.open(parentOf(path))
  const { kind } = disk.lstat(dir, nameOf(path))
  if (kind === 'directory') disk.sync(dirs.open(path))
  if (kind !== 'file') return
  const fd = disk.open(dir, nameOf(path), 'read')
  try {
    disk.sync(fd)
  } finally {
    disk.close(fd)
  }
}

const stagedSources = (steps: readonly PlaceStep[]): StagedSource[] =>
  steps.flatMap(step => ('from' in step ? [step.from] : []))

/** Finds staged things among the open places. */
export function locator(places: ReadonlyMap<string, StagingHandle>, treeName: string): Locate {
  return ({ staging, path }) => {
    const place = places.get(staging)
    if (place !== undefined) return `${place.rel}/${treeName}/${path}` as RelPath
    throw new SpacedriveError('STAGING_GONE', `could not place ${displayPath(path)}: ${staging} is not open`)
  }
}
