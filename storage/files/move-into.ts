import {
  displayPath,
  errorCode,
  joinRel,
  nameOf,
  parentOf,
  type RelPath,
  resolveRel,
  SpacedriveError
} from '../base/index.js'
import { type Disk, findStat } from './disk.js'
import type { EntryStat } from './fingerprint.js'
import { freeNames } from './free-name.js'
import { runGroup, syncNames } from './group.js'
import { type Journal, type Move, readJournal, removeJournal, seen, writeJournal } from './journal.js'
import { diskError } from './problems.js'
import { ensureSameRoot, type RootAccess } from './root.js'
import type { MovedEntry, MoveEntry } from './staging.js'
import { TREE_NAME } from './staging-place.js'
import type { StagingHandle } from './staging-writer.js'
import { syncTree } from './tree.js'

/** Somebody who takes every free name just before us can go on for ever; we do not. */
const MAX_RACES = 100

/** See `Staging.moveInto`. */
export function moveInto(
  access: RootAccess,
  place: StagingHandle,
  directory: RelPath,
  entries: readonly MoveEntry[]
): MovedEntry[] {
  const { disk, root } = access
  ensureSameRoot(access)
  let journal = readJournal(disk, place.dir)
  if (journal !== undefined && !isSame(journal, place, entries)) {
    throw new SpacedriveError('ALREADY_MOVED', `could not move from ${place.dir.path}: another move was begun there`)
  }
  if (journal?.completed) return answer(access, journal, entries)
  makeTarget(access, directory)
  const avoid = new Set<RelPath>()
  try {
    if (journal === undefined) syncTree(disk, place.tree, root.capabilities.syncWhole)
    for (;;) {
      if (journal === undefined) {
        journal = plan(access, place, directory, entries, avoid)
        writeJournal(disk, place.dir, journal)
      }
      const outcome = runGroup(access, journal.groups[0]!, { lenient: true })
      if (outcome.state === 'completed') {
        finishDrop(access, place, journal, outcome.stats)
        return answer(access, journal, entries)
      }
      if (outcome.state === 'stuck') throw outcome.cause
      syncNames(access, journal.groups)
      removeJournal(disk, place.dir)
      journal = undefined
      // Somebody took the name since it was looked at, or two of ours fold to one here.
      const { to } = (outcome.cause as SpacedriveError).details ?? {}
      if (errorCode(outcome.cause) !== 'EXISTS' || avoid.size >= MAX_RACES) throw outcome.cause
      avoid.add(to as RelPath)
    }
  } catch (err) {
    throw diskError('move into', directory === '' ? root.path : directory, err)
  }
}

/** See `Staging.moved`. */
export function movedBefore(access: RootAccess, place: StagingHandle): MovedEntry[] | undefined {
  const journal = readJournal(access.disk, place.dir)
  if (journal?.completed !== true || journal.purpose !== 'drop') return undefined
  return answer(
    access,
    journal,
    journal.groups[0]!.moves.map(move => ({ from: nameOf(move.from) }))
  )
}

/** After the moves, also in a recovery: makes them durable, then what directories still lack, and says so in the journal. */
export function finishDrop(
  { disk, dirs }: RootAccess,
  place: Pick<StagingHandle, 'dir' | 'tree'>,
  journal: Journal,
  stats: readonly (EntryStat | undefined)[]
): void {
  const { moves } = journal.groups[0]!
  for (const [i, move] of moves.entries()) {
    if (stats[i]?.kind !== 'directory' || (move.mode === undefined && move.mtimeNs === undefined)) continue
    const dir = dirs.open(move.to)
    if (move.mtimeNs !== undefined) disk.setMtime(dir, move.mtimeNs)
    if (move.mode !== undefined) disk.setMode(dir, move.mode & 0o777)
    disk.sync(dir)
  }
  for (const parent of new Set(moves.map(m => parentOf(m.to)))) disk.sync(dirs.open(parent))
  disk.sync(place.tree)
  writeJournal(disk, place.dir, { ...journal, completed: true })
}

function plan(
  { disk, dirs }: RootAccess,
  place: StagingHandle,
  directory: RelPath,
  entries: readonly MoveEntry[],
  avoid: ReadonlySet<RelPath>
): Journal {
  const target = dirs.open(directory)
  const taken = new Set<RelPath>(avoid)
  const moves = entries.map(({ from, as = from, mode, mtimeNs }): Move => {
    const stat = findStat(disk, place.tree, from)
    if (stat === undefined) {
      throw new SpacedriveError('MISSING', `could not move ${displayPath(from)}: it is not staged`)
    }
    for (const name of freeNames(as, stat.kind === 'directory')) {
      const to = joinRel(directory, name)
      if (taken.has(to) || findStat(disk, target, name) !== undefined) continue
      taken.add(to)
      return {
        from: stagedPath(place, from),
        to,
        seen: seen(stat),
        ...(stat.kind === 'directory' && { mode: mode ?? openUp(disk, place, from, stat), mtimeNs })
      }
    }
    throw new Error('unreachable: free names do not end')
  })
  return { purpose: 'drop', groups: [{ moves }] }
}

/** A directory that its owner may not write cannot change its parent: it gets its mode back afterwards. */
function openUp(disk: Disk, { tree }: StagingHandle, name: string, { mode }: EntryStat): number | undefined {
  if ((mode & 0o200) !== 0) return undefined
  disk.setDirMode(tree, name, mode | 0o700)
  return mode
}

function makeTarget({ disk, root, dirs }: RootAccess, directory: RelPath): void {
  if (directory === '') return
  try {
    const parent = dirs.open(parentOf(directory))
    if (findStat(disk, parent, nameOf(directory)) === undefined) {
      disk.makeDir(parent, nameOf(directory), 0o777)
      disk.sync(parent)
    }
    dirs.open(directory)
  } catch (err) {
    throw diskError('use', resolveRel(root.path, directory), err)
  }
}

function answer({ disk, root, dirs }: RootAccess, journal: Journal, entries: readonly MoveEntry[]): MovedEntry[] {
  const { moves } = journal.groups[0]!
  return entries.flatMap(({ from }) => {
    const { to } = moves.find(m => nameOf(m.from) === from)!
    const stat = findStat(disk, dirs.open(parentOf(to)), nameOf(to))
    return stat === undefined ? [] : [{ from, name: nameOf(to), path: resolveRel(root.path, to), stat }]
  })
}

function isSame(journal: Journal, place: StagingHandle, entries: readonly MoveEntry[]): boolean {
  const moves = journal.groups[0]?.moves ?? []
  const wanted = new Set<string>(entries.map(e => stagedPath(place, e.from)))
  return journal.purpose === 'drop' && moves.length === wanted.size && moves.every(m => wanted.has(m.from))
}

const stagedPath = (place: StagingHandle, path: string): RelPath => joinRel(joinRel(place.rel, TREE_NAME), path)
