import { randomUUID } from 'node:crypto'
import { joinRel, nameOf, parentOf, type RelPath } from '../base/index.js'
import type { BatchJournal } from './batch-journal.js'
import { copyAcross } from './copy-across.js'
import type { EntryStat, Expected } from './fingerprint.js'
import { runGroup } from './group.js'
import { type Group, seen } from './journal.js'
import { stagingName } from './ours.js'
import { create, ensureExpected, findAt, remove, type StepOutcome } from './place-step.js'
import { diskError, problemOf } from './problems.js'
import type { RootAccess } from './root.js'

/** The moves of a replacement where no exchange is: the old one aside, the new one in. */
export function replaceGroup(
  access: RootAccess,
  path: RelPath,
  from: RelPath,
  expected: Expected,
  aside: RelPath
): Group | undefined {
  const [old, staged] = [findAt(access, path), findAt(access, from)]
  if (old === undefined || staged === undefined) return undefined
  return {
    moves: [
      { from: path, to: aside, seen: seen(old), expected },
      { from, to: path, seen: seen(staged) }
    ]
  }
}

/** Replaces by a group that stands in the journal. */
export function replaceByMoves(access: RootAccess, path: RelPath, expected: Expected, group: Group): StepOutcome {
  ensureExpected(access, path, expected, 'replace')
  const outcome = runGroup(access, group)
  if (outcome.state === 'taken-back') throw outcome.cause
  if (outcome.state === 'stuck') return { problem: problemOf(path, outcome.cause), keptAt: group.moves[0]!.to }
  const [aside] = outcome.stats
  return aside === undefined ? {} : { aside }
}

/**
 * The same steps where a rename between staging and target crosses a boundary inside one file system (a bind mount, a
 * project quota): by a temporary name right beside the target, written down in the journal, and a copy across.
 */
export function createAcross(access: RootAccess, journal: BatchJournal, path: RelPath, from: RelPath): StepOutcome {
  const temp = besidePath(access, path)
  journal.add([], [{ path: temp }])
  copy(access, from, temp)
  try {
    create(access, path, temp)
  } catch (err) {
    unlink(access, temp)
    throw err
  }
  unlink(access, from)
  return {}
}

export function replaceAcross(
  access: RootAccess,
  journal: BatchJournal,
  path: RelPath,
  from: RelPath,
  expected: Expected,
  aside: RelPath
): StepOutcome {
  ensureExpected(access, path, expected, 'replace')
  const [temp, old] = [besidePath(access, path), besidePath(access, path)]
  journal.add([], [{ path: temp }])
  copy(access, from, temp)
  const group = replaceGroup(access, path, temp, expected, old)!
  journal.add([group], [{ path: old, old: { path, aside } }])
  let outcome: StepOutcome
  try {
    outcome = replaceByMoves(access, path, expected, group)
  } catch (err) {
    unlink(access, temp)
    throw err
  }
  if ('problem' in outcome) return outcome
  unlink(access, from)
  return takeAcross(access, path, old, aside)
}

export function removeAcross(
  access: RootAccess,
  journal: BatchJournal,
  path: RelPath,
  expected: Expected,
  aside: RelPath
): StepOutcome {
  const old = besidePath(access, path)
  journal.add([], [{ path: old, old: { path, aside } }])
  const outcome = remove(access, path, expected, old)
  return 'problem' in outcome ? outcome : takeAcross(access, path, old, aside)
}

/** Brings what was moved aside beside its target to where it was wanted. */
export function takeAcross(access: RootAccess, path: RelPath, old: RelPath, aside: RelPath): StepOutcome {
  try {
    const stat = copy(access, old, aside)
    unlink(access, old)
    return { aside: stat }
  } catch (err) {
    return { problem: problemOf(path, diskError('keep the old', path, err)), keptAt: old }
  }
}

function copy({ disk, dirs }: RootAccess, from: RelPath, to: RelPath): EntryStat {
  try {
    return copyAcross(disk, dirs.open(parentOf(from)), nameOf(from), dirs.open(parentOf(to)), nameOf(to))
  } catch (err) {
    throw diskError('copy', from, err)
  }
}

function unlink({ disk, dirs }: RootAccess, path: RelPath): void {
  disk.unlink(dirs.open(parentOf(path)), nameOf(path))
}

const besidePath = ({ root }: RootAccess, path: RelPath): RelPath =>
  joinRel(parentOf(path), stagingName(root.owner, randomUUID()))
