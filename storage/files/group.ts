import { displayPath, errorCode, nameOf, type Problem, parentOf, type RelPath, SpacedriveError } from '../base/index.js'
import { type DirHandle, findStat } from './disk.js'
import type { EntryStat } from './fingerprint.js'
import { giveNameBeneath } from './give-name.js'
import type { Group, Move } from './journal.js'
import { differs } from './look.js'
import { isInOurs } from './ours.js'
import { diskError, problemOf } from './problems.js'
import type { RootAccess } from './root.js'

export type GroupOutcome =
  | { readonly state: 'completed'; readonly stats: readonly (EntryStat | undefined)[] }
  /** Everything is where it was; `cause` says why. */
  | { readonly state: 'taken-back'; readonly cause: Error }
  /** Some of it could not be put back: each problem names where it lies now. The journal must stay. */
  | { readonly state: 'stuck'; readonly cause: Error; readonly problems: readonly Problem[] }

/**
 * Executes a group, or finishes one that a crash interrupted: moves that happened are known by what lies where. Fails at one:
 * those before it are taken back. The group must stand in a durable journal. Names are durable only after a sync.
 * @param options.lenient - what is gone from its place counts as moved: a person may have taken it on meanwhile
 */
export function runGroup(access: RootAccess, { moves }: Group, { lenient = false } = {}): GroupOutcome {
  const done = completedMoves(access, moves)
  try {
    const other = moves
      .slice(0, done)
      .find(move => tookAnother(access, move) && !isWhat(access, move, lookAt(access, move.to)))
    if (other !== undefined) throw changed(other)
    for (const [i, move] of moves.entries()) {
      if (hasBothNames(access, move)) unlink(access, move.from)
      else if (i < done && !isWaiting(access, move)) continue
      else if (lenient && lookAt(access, move.from) === undefined) continue
      else runMove(access, move)
    }
    return { state: 'completed', stats: moves.map(move => lookAt(access, restingPlace(moves, move))) }
  } catch (err) {
    const cause = err instanceof Error ? err : new Error(String(err))
    const problems = takeBack(access, moves)
    return problems.length === 0 ? { state: 'taken-back', cause } : { state: 'stuck', cause, problems }
  }
}

/** Puts back, last first, whatever of the group has happened. @returns what could not be */
export function takeBack(access: RootAccess, moves: readonly Move[]): Problem[] {
  const problems: Problem[] = []
  const done = completedMoves(access, moves)
  for (const move of moves.slice(0, done).reverse()) {
    if (!hasHappened(access, move)) continue
    try {
      if (hasBothNames(access, move)) unlink(access, move.to)
      else rename(access, move.to, move.from)
    } catch (err) {
      const text = `it was left at ${displayPath(move.to)}: ${diskError('put back', move.from, err).message}`
      problems.push(problemOf(move.from, new SpacedriveError('NOT_PUT_BACK', text)))
    }
  }
  return problems
}

/** Makes durable what the moves of these groups did to names. */
export function syncNames({ disk, dirs }: RootAccess, groups: readonly Group[]): void {
  const parents = groups.flatMap(g => g.moves.flatMap(m => [parentOf(m.from), parentOf(m.to)]))
  // A directory that moved in the group is synced where it lies now: names in it changed as well.
  const moved = groups.flatMap(g => g.moves.flatMap(m => (m.seen.kind === 'directory' ? [m.to, m.from] : [])))
  for (const path of new Set([...parents, ...moved])) {
    let dir: DirHandle
    try {
      dir = dirs.open(path)
    } catch (err) {
      if (!NOT_THERE.has(errorCode(err))) throw err
      continue
    }
    disk.sync(dir)
  }
}

/** Nothing is there, or something else than a directory stands on the way. */
const NOT_THERE = new Set(['ENOENT', 'ENOTDIR', 'ELOOP'])

/** Whether anything of it has happened. */
export const hasBegun = (access: RootAccess, { moves }: Group): boolean => completedMoves(access, moves) > 0

/** Moves happen in order, so the last one that has happened tells of those before it. */
function completedMoves(access: RootAccess, moves: readonly Move[]): number {
  for (let i = moves.length; i > 0; i--) if (hasHappened(access, moves[i - 1]!)) return i
  return 0
}

/** Without identities a look-alike at the new name proves nothing as long as the old one is there. */
function hasHappened(access: RootAccess, move: Move): boolean {
  const out = lookAt(access, move.to)
  if (!isWhat(access, move, out)) return out !== undefined && tookAnother(access, move)
  return access.root.capabilities.keepsIdentity || !isWhat(access, move, lookAt(access, move.from))
}

/**
 * What lies in our own private place and left a person's name empty can only be what the rename took: something else than
 * was seen, if somebody was faster. It is taken back like the rest.
 */
function tookAnother(access: RootAccess, { from, to }: Move): boolean {
  return isInOurs(to) && !isInOurs(from) && lookAt(access, from) === undefined
}

function isWaiting(access: RootAccess, move: Move): boolean {
  return isWhat(access, move, lookAt(access, move.from)) && !hasHappened(access, move)
}

/**
 * A file that was given its new name by a link, and the old one did not go yet. One of the two is in a place of our own, where
 * nobody else makes links: a person's second name of the same file is never taken for it.
 */
function hasBothNames(access: RootAccess, move: Move): boolean {
  if (move.seen.kind === 'directory' || !access.root.capabilities.keepsIdentity) return false
  if (!isInOurs(move.from) && !isInOurs(move.to)) return false
  return isWhat(access, move, lookAt(access, move.from)) && isWhat(access, move, lookAt(access, move.to))
}

function unlink({ disk, dirs }: RootAccess, path: RelPath): void {
  disk.unlink(dirs.open(parentOf(path)), nameOf(path))
}

/** Where a moved thing lies in the end: a later move may have taken it on. */
function restingPlace(moves: readonly Move[], move: Move): RelPath {
  let at = move.to
  for (const later of moves.slice(moves.indexOf(move) + 1)) if (later.from === at) at = later.to
  return at
}

function runMove(access: RootAccess, move: Move): void {
  const at = lookAt(access, move.from)
  if (!isWhat(access, move, at)) {
    throw changed(move)
  }
  rename(access, move.from, move.to)
  const out = lookAt(access, move.to)
  if (!isWhat(access, move, out) || (move.expected !== undefined && differs(access, move.expected, out!))) {
    throw changed(move)
  }
}

function rename(access: RootAccess, from: RelPath, to: RelPath): void {
  try {
    giveNameBeneath(access, from, to)
  } catch (err) {
    if (errorCode(err) !== 'EEXIST') throw diskError('move', from, err)
    const text = `could not move ${displayPath(from)} to ${displayPath(to)}: something stands there already`
    throw new SpacedriveError('EXISTS', text, { cause: err, details: { to } })
  }
}

function lookAt({ disk, dirs }: RootAccess, path: RelPath): EntryStat | undefined {
  try {
    return findStat(disk, dirs.open(parentOf(path)), nameOf(path))
  } catch (err) {
    if (NOT_THERE.has(errorCode(err))) return undefined
    throw diskError('look at', path, err)
  }
}

/** By inode where the file system keeps it, else by what else is told. A directory's size and mtime say nothing. */
function isWhat({ root }: RootAccess, { seen }: Move, at: EntryStat | undefined): boolean {
  if (at === undefined || at.kind !== seen.kind) return false
  if (root.capabilities.keepsIdentity) return at.inode === seen.inode && at.birthNs === seen.birthNs
  return seen.kind === 'directory' || (at.sizeBytes === seen.sizeBytes && at.mtimeNs === seen.mtimeNs)
}

const changed = ({ from }: Move): SpacedriveError =>
  new SpacedriveError('CHANGED', `could not move ${displayPath(from)}: it was changed meanwhile`)
