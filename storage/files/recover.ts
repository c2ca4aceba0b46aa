import { joinRel, nameOf, type Problem, parentOf, SpacedriveError } from '../base/index.js'
import { type DirHandle, findStat } from './disk.js'
import type { RecoverReport } from './files.js'
import { giveName } from './give-name.js'
import { type GroupOutcome, hasBegun, runGroup, syncNames } from './group.js'
import { type Group, type Journal, readJournal, removeHalfJournal, removeJournal, type Temp } from './journal.js'
import { removeOldMarkers } from './marker.js'
import { finishDrop } from './move-into.js'
import { isGroupId } from './ours.js'
import { takeAcross } from './place-journaled.js'
import { diskError, isFatal, problemOf } from './problems.js'
import type { RootAccess } from './root.js'
import { type FoundPlace, listStagingPlaces, TREE_NAME } from './staging-place.js'
import { removeEmptyTree } from './tree.js'

export interface RecoverInit {
  readonly isBusy: (id: string) => boolean
  readonly nowMs: number
}

/**
 * See `FileRoot.recover`: the journals of this daemon's staging places, those in use (`isBusy`) aside. What nobody will ever come
 * back for goes: places of groups, and what was to become a marker.
 */
export function recoverRoot(access: RootAccess, { isBusy, nowMs }: RecoverInit): RecoverReport {
  const { disk, root } = access
  const report = { completed: 0, takenBack: 0, problems: [] as Problem[] }
  removeOldMarkers(access, nowMs)
  for (const found of listStagingPlaces(access)) {
    if (found.owner !== root.owner || isBusy(found.id)) continue
    const opened: DirHandle[] = []
    try {
      const dir = disk.openDir(root.dir, found.rel)
      opened.push(dir)
      const journal = readJournal(disk, dir)
      if (journal === undefined) removeGroupPlace(access, found, dir)
      if (journal === undefined || journal.completed) continue
      const tree = disk.openDir(dir, TREE_NAME)
      opened.push(tree)
      const outcomes = journal.groups.map(group => finishGroup(access, journal, group))
      report.completed += outcomes.filter(o => o.state === 'completed').length
      report.takenBack += outcomes.filter(o => o.state === 'taken-back').length
      for (const temp of journal.temps ?? []) recoverTemp(access, temp)
      report.problems.push(...outcomes.flatMap(o => (o.state === 'stuck' ? o.problems : [])))
      settle(access, { dir, tree }, journal, outcomes)
      if (outcomes.every(o => o.state !== 'stuck')) removeGroupPlace(access, found, dir)
    } catch (err) {
      const error = diskError('recover', found.rel, err)
      // A disk that fails now is tried again; nobody is to look after the journal.
      if (isFatal(error)) throw error
      report.problems.push(problemOf(joinRel(found.rel, 'journal'), error))
    } finally {
      for (const dir of opened) disk.close(dir)
    }
  }
  return report
}

/** With nothing but empty directories in it; somebody may have put something into one that was about to go. */
function removeGroupPlace({ disk, dirs }: RootAccess, { id, rel }: FoundPlace, place: DirHandle): void {
  if (!isGroupId(id)) return
  removeHalfJournal(disk, place)
  removeEmptyTree(disk, dirs.open(parentOf(rel)), nameOf(rel))
}

/** What was begun is completed; what was not is left: who planned it plans again. */
function finishGroup(access: RootAccess, { purpose }: Journal, group: Group): GroupOutcome {
  if (hasBegun(access, group)) return runGroup(access, group, { lenient: purpose === 'drop' })
  return { state: 'taken-back', cause: new SpacedriveError('INTERRUPTED', 'it was not begun') }
}

/** Makes what recovery did durable, then lets go of the journal. */
function settle(
  access: RootAccess,
  place: { dir: DirHandle; tree: DirHandle },
  journal: Journal,
  outcomes: readonly GroupOutcome[]
): void {
  const [first] = outcomes
  if (journal.purpose === 'drop' && first?.state === 'completed') {
    finishDrop(access, place, journal, first.stats)
    return
  }
  syncNames(access, journal.groups)
  if (outcomes.every(o => o.state !== 'stuck')) removeJournal(access.disk, place.dir)
}

/** What lies beside its target: old content goes back to its name, or aside where that has the new by now. */
function recoverTemp(access: RootAccess, { path, old }: Temp): void {
  const { disk, root, dirs } = access
  const dir = dirs.open(parentOf(path))
  if (findStat(disk, dir, nameOf(path)) === undefined) return
  if (old === undefined) disk.unlink(dir, nameOf(path))
  else if (findStat(disk, dir, nameOf(old.path)) === undefined) {
    giveName(disk, root.capabilities, dir, nameOf(path), dir, nameOf(old.path))
  } else {
    const outcome = takeAcross(access, old.path, path, old.aside)
    if ('problem' in outcome) throw new SpacedriveError(outcome.problem.code, outcome.problem.message)
  }
  disk.sync(dir)
}
