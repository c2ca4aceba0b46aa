/** What the serving side of a sync asks, answered on the device that drives it: as its own commands would, cut to what a message holds. */
import { type AnswerContext, MAX_ANSWER_BYTES, type Question } from '../../protocols/agreements/index.js'
import type { Sync } from '../../sync/session/index.js'
import type { Peer } from '../compose.js'
import { conflictsView, resolveSync } from './sync-conflicts.js'
import { planView } from './sync-plan.js'
import { runLogged } from './sync-run.js'
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
      return fitted(await planView(peer, sync, { signal }), 'list')
    case 'why':
      return fitted(await whyView(peer, sync, question.path, signal), 'changes')
    case 'conflicts':
      return fitted(await conflictsView(peer, sync, signal), 'conflicts')
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
