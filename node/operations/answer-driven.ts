/** What the serving side of a sync asks, answered on the device that drives it: as its own commands would, cut to what a message holds. */
import { type AnswerContext, MAX_ANSWER_BYTES, type Question } from '../../protocols/agreements/index.js'
import type { Sync } from '../../sync/session/index.js'
import type { Peer } from '../compose.js'
import { conflictsView, resolveSync } from './sync-conflicts.js'
import type { ConflictsView, PlanView } from './sync-far-views.js'
import { planView } from './sync-plan.js'
import { runLogged } from './sync-run.js'
import { syncView } from './sync-view.js'
import { whyView } from './sync-why.js'

/** @throws as the command of that name */
export async function answerDriven(
  peer: Peer,
  sync: Sync,
  question: Question,
  { device, signal }: AnswerContext
): Promise<unknown> {
  const asked = { origin: device, signal, emit() {} }
  switch (question.what) {
    case 'plan':
      return fittedPlan(await planView(peer, sync, { signal }))
    case 'status': {
      const { state, text, advice } = syncView(peer, sync)
      return { state, text, advice }
    }
    case 'why':
      return fitted(await whyView(peer, sync, question.path, signal), 'changes')
    case 'conflicts':
      return fittedConflicts(await conflictsView(peer, sync, signal))
    case 'run': {
      const { planHash } = question
      const report = await runLogged(peer, sync, { ...asked, ...(planHash !== undefined && { planHash }) })
      return fitted(fitted(report, 'problems', MAX_ANSWER_BYTES / 2), 'conflicts')
    }
    case 'resolve': {
      const { path: rel, keep, later } = question
      const done = await resolveSync(peer, sync, { ...asked, rel, keep, later })
      const run =
        done.run && fitted(fitted(done.run, 'problems', MAX_ANSWER_BYTES / 4), 'conflicts', MAX_ANSWER_BYTES / 2)
      return fitted({ ...done, run }, 'paths')
    }
  }
}

/** What waits is told before what is settled; only of that is counted what is left out. */
function fittedConflicts(view: ConflictsView): ConflictsView {
  const { settled } = fitted({ settled: view.settled }, 'settled', MAX_ANSWER_BYTES / 4)
  return fitted({ ...view, settled }, 'conflicts')
}

/** The operations count as `more`; conflicts and problems are what is shown of them there, and no more. */
function fittedPlan(plan: PlanView): PlanView {
  const { conflicts } = fitted({ conflicts: plan.conflicts }, 'conflicts', MAX_ANSWER_BYTES / 4)
  const { problems } = fitted({ problems: plan.problems }, 'problems', MAX_ANSWER_BYTES / 4)
  return fitted({ ...plan, conflicts, problems }, 'list')
}

/** The same with as much of its list, from the beginning, as fits; `more` counts the rest where there is such a field. */
export function fitted<V extends object>(view: V, key: keyof V, maxBytes = MAX_ANSWER_BYTES): V {
  let list = view[key] as readonly unknown[]
  const whole = list.length
  const cut = (): V => ({
    ...view,
    [key]: list,
    ...('more' in view && { more: (view.more as number) + whole - list.length })
  })
  while (list.length > 0 && Buffer.byteLength(JSON.stringify(cut())) > maxBytes)
    list = list.slice(0, Math.floor(list.length / 2))
  return cut()
}
