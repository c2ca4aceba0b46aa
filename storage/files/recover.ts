import { joinRel, type Problem } from '../base/index.js'
import type { DirHandle } from './disk.js'
import type { RecoverReport } from './files.js'
import { type GroupOutcome, runGroup, syncNames } from './group.js'
import { type Journal, readJournal, removeJournal } from './journal.js'
import { finishDrop } from './move-into.js'
import { diskError, problemOf } from './problems.js'
import type { RootAccess } from './root.js'
import { listStagingPlaces, removeStagingPlace, TREE_NAME } from './staging-place.js'

/** See `FileRoot.recover`: the journals of this daemon's staging places, those in use (`isBusy`) aside. */
export function recoverRoot(access: RootAccess, isBusy: (id: string) => boolean): RecoverReport {
  const { disk, root } = access
  const report = { completed: 0, takenBack: 0, problems: [] as Problem[] }
  for (const found of listStagingPlaces(access)) {
    if (found.owner !== root.owner || isBusy(found.id)) continue
    const opened: DirHandle[] = []
    try {
      const dir = disk.openDir(root.dir, found.rel)
      opened.push(dir)
      const journal = readJournal(disk, dir)
      if (journal === undefined || journal.completed) continue
      const tree = disk.openDir(dir, TREE_NAME)
      opened.push(tree)
      const outcomes = journal.groups.map(group => runGroup(access, group, { lenient: journal.purpose === 'drop' }))
      report.completed += outcomes.filter(o => o.state === 'completed').length
      report.takenBack += outcomes.filter(o => o.state === 'taken-back').length
      report.problems.push(...outcomes.flatMap(o => (o.state === 'stuck' ? o.problems : [])))
      settle(access, { dir, tree }, journal, outcomes)
      if (journal.purpose === 'group' && outcomes.every(o => o.state !== 'stuck')) removeStagingPlace(access, found.rel)
    } catch (err) {
      report.problems.push(problemOf(joinRel(found.rel, 'journal'), diskError('recover', found.rel, err)))
    } finally {
      for (const dir of opened) disk.close(dir)
    }
  }
  return report
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
