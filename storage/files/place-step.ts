import { displayPath, hasCode, nameOf, type Problem, parentOf, type RelPath, SpacedriveError } from '../base/index.js'
import { findStat } from './disk.js'
import type { EntryStat, Expected } from './fingerprint.js'
import { giveName, giveNameBeneath, movedAway } from './give-name.js'
import { differs } from './look.js'
import { diskError, problemOf } from './problems.js'
import type { RootAccess } from './root.js'

/** What became of one step; paths are relative to the root. A thrown error means that nothing was changed. */
export type StepOutcome =
  | { readonly aside?: EntryStat }
  /** Something came between that could not be put back: it lies at `keptAt`. */
  | { readonly problem: Problem; readonly keptAt: RelPath }

/**
 * What is said of a file or link that was placed: what it is right after it got its name, which its change time tells from whatever is
 * written to it while the batch is made durable, also where size and time are put back. Where a program was faster than that look, it is
 * what was staged, so that the next look finds it changed. Else its content would be taken for what was placed for good.
 */
export function placedStat(access: RootAccess, path: RelPath, staged: EntryStat): EntryStat {
  const now = findAt(access, path)
  const { kind, sizeBytes, mtimeNs, inode, birthNs } = staged
  const identity = inode === 0n ? {} : { inode, birthNs } // none: a copy was made of it
  return now === undefined || differs(access, { kind, sizeBytes, mtimeNs, ...identity }, now) ? staged : now
}

/** Gives what is staged at `from` the name `path`. @throws EXISTS, MISSING, NAME_REFUSED ... */
export function create(access: RootAccess, path: RelPath, from: RelPath): StepOutcome {
  rename(access, from, path, 'create', path)
  return {}
}

/**
 * The same, but it is left to the caller to look whether the directory is still where it was: once for some names in it
 * (`takeBackCreated` when it is not).
 */
export function createUnlooked({ disk, root, dirs }: RootAccess, path: RelPath, from: RelPath): void {
  try {
    const [source, target] = [dirs.open(parentOf(from)), dirs.open(parentOf(path))]
    giveName(disk, root.capabilities, source, nameOf(from), target, nameOf(path))
    dirs.forget(from)
    dirs.forget(path)
  } catch (err) {
    throw diskError('create', path, err)
  }
}

/** Its directory was moved away meanwhile: it goes back to where it was staged. @returns what is to be said of it */
export function takeBackCreated({ disk, root, dirs }: RootAccess, path: RelPath, from: RelPath): Problem {
  try {
    const [source, target] = [dirs.open(parentOf(from)), dirs.open(parentOf(path))]
    giveName(disk, root.capabilities, target, nameOf(path), source, nameOf(from))
    return problemOf(path, movedAway(path))
  } catch (err) {
    return problemOf(path, diskError('take back', path, err))
  }
}

/** One name changes from its old to its new content in one step; what came out goes to `aside`. */
export function replaceByExchange(
  access: RootAccess,
  path: RelPath,
  from: RelPath,
  expected: Expected,
  aside: RelPath
): StepOutcome {
  const { disk, dirs } = access
  const before = ensureExpected(access, path, expected, 'replace')
  const ours = ensureStaged(access, from)
  exchange(access, path, from)
  const out = lookAt(access, from)
  if (out !== undefined && !differs(access, before, out)) {
    try {
      disk.rename(dirs.open(parentOf(from)), nameOf(from), dirs.open(parentOf(aside)), nameOf(aside), 'replace')
      return { aside: lookAt(access, aside)! }
    } catch (err) {
      const failure = diskError('keep the old', path, err)
      if (exchangedBack(access, path, from, ours)) throw failure
      return { problem: problemOf(path, failure), keptAt: from }
    }
  }
  // Somebody wrote between look and exchange.
  if (exchangedBack(access, path, from, ours)) throw changed(path, 'replace')
  return { problem: problemOf(path, changed(path, 'replace')), keptAt: from }
}

/** Needs no room on the disk. @returns whether all is as it was; else something else than ours has the name by now, or the disk failed */
function exchangedBack(access: RootAccess, path: RelPath, from: RelPath, ours: EntryStat): boolean {
  try {
    if (lookAt(access, path)?.inode !== ours.inode) return false
    exchange(access, path, from)
    if (lookAt(access, from)?.inode === ours.inode) return true
    // RACE: a third one took the name in that moment. It is the newest, so the name is its; the one before is kept.
    exchange(access, path, from)
  } catch {
    // What the disk says of the step itself is told.
  }
  return false
}

/** Takes a file or link from its name; it goes to `aside`. */
export function remove(access: RootAccess, path: RelPath, expected: Expected, aside: RelPath): StepOutcome {
  const before = ensureExpected(access, path, expected, 'remove')
  rename(access, path, aside, 'remove', path)
  return lookAfter(access, path, aside, before, 'remove')
}

/** Gives a file, link or directory another name within the root, where nothing may stand. */
export function move(access: RootAccess, path: RelPath, to: RelPath, expected: Expected): StepOutcome {
  const before = lookAt(access, path)
  if (before === undefined || differs(access, expected, before, false)) throw changed(path, 'move')
  rename(access, path, to, 'move', path)
  const outcome = lookAfter(access, path, to, before, 'move')
  return 'problem' in outcome ? outcome : {}
}

/** What came out must be what was seen; else back with it, or kept where it is. */
function lookAfter(access: RootAccess, path: RelPath, at: RelPath, before: EntryStat, verb: string): StepOutcome {
  const out = lookAt(access, at)
  if (out !== undefined && !differs(access, before, out)) return { aside: out }
  const error = changed(path, verb)
  try {
    rename(access, at, path, 'put back', path)
  } catch {
    return { problem: problemOf(path, error), keptAt: at }
  }
  throw error
}

/** @throws CHANGED when it is not what was expected; NOT_A_FILE for what a step of its own is for */
export function ensureExpected(access: RootAccess, path: RelPath, expected: Expected, verb: string): EntryStat {
  const at = lookAt(access, path)
  if (at === undefined || differs(access, expected, at, false)) throw changed(path, verb)
  if (at.kind === 'file' || at.kind === 'symlink') return at
  throw new SpacedriveError('NOT_A_FILE', `could not ${verb} ${displayPath(path)}: it is neither a file nor a link`)
}

function ensureStaged(access: RootAccess, from: RelPath): EntryStat {
  const at = lookAt(access, from)
  if (at !== undefined) return at
  throw new SpacedriveError('MISSING', `could not place ${displayPath(from)}: it is not staged`)
}

export function lookAt({ disk, dirs }: RootAccess, path: RelPath): EntryStat | undefined {
  try {
    return findStat(disk, dirs.open(parentOf(path)), nameOf(path))
  } catch (err) {
    throw diskError('look at', path, err)
  }
}

/** The same; undefined also where the way to it is not there, or leads through something else than directories. */
export function findAt(access: RootAccess, path: RelPath): EntryStat | undefined {
  return ifThere(() => lookAt(access, path))
}

/** undefined: what it is about is not there, whatever stands on the way to it. */
export function ifThere<T>(act: () => T): T | undefined {
  try {
    return act()
  } catch (err) {
    if (hasCode(err, 'ENOENT', 'ENOTDIR', 'ELOOP', 'MISSING', 'LINK_IN_PATH')) return undefined
    throw err
  }
}

function rename(access: RootAccess, from: RelPath, to: RelPath, verb: string, path: RelPath): void {
  try {
    giveNameBeneath(access, from, to)
  } catch (err) {
    throw diskError(verb, path, err)
  }
}

function exchange({ disk, dirs }: RootAccess, path: RelPath, from: RelPath): void {
  try {
    const [source, target] = [dirs.open(parentOf(from)), dirs.open(parentOf(path))]
    disk.rename(source, nameOf(from), target, nameOf(path), 'exchange')
    if (dirs.isStill(parentOf(path))) return
    disk.rename(source, nameOf(from), target, nameOf(path), 'exchange')
    dirs.forget(parentOf(path))
    throw movedAway(path)
  } catch (err) {
    throw diskError('replace', path, err)
  }
}

const changed = (path: RelPath, verb: string): SpacedriveError =>
  new SpacedriveError('CHANGED', `could not ${verb} ${displayPath(path)}: it is not what was expected there`, {
    hint: 'It was changed meanwhile; it is looked at again.'
  })
