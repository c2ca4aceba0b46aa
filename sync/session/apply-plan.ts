import { type AbortOptions, nameOf, newUuid } from '../../storage/base/index.js'
import type { Database } from '../../storage/sql/index.js'
import { ENDS, type End } from '../reconcile/index.js'
import { answersOf } from './answers.js'
import { answering } from './answers.worker.js'
import { archiving } from './archive.worker.js'
import { ChangeLog } from './changes.js'
import { RunCounting } from './counting.js'
import { dropArchive, Fold } from './fold.js'
import { IGNORE_FILE } from './ignored.js'
import { noteCompared } from './plan.js'
import { planning } from './plan.worker.js'
import type { Planned } from './plan-session.js'
import type { Later, Opened, SessionInit, SessionOutcome } from './session.js'
import { snapshotting } from './snapshot.worker.js'
import { Transition, type Transitioned } from './transition.js'
import type { TransitionEnd } from './transition-end.js'

/** Conflicts and problems read back from a plan to be shown. */
const MAX_REMARKS = 1_000

const NOTHING_DONE: Transitioned = { operations: 0, bytes: 0, problems: [], unsettled: [] }

/** Does what was planned, batch by batch, and writes down what was achieved. @throws what concerns an end as a whole; `signal.reason` */
export async function applyPlan(
  init: SessionInit,
  opened: Opened,
  {
    summary,
    planFile,
    archive,
    drop,
    union,
    unread,
    rules,
    known,
    forced,
    counter,
    later
  }: Planned & { forced: boolean; counter: number; later: Later }
): Promise<SessionOutcome> {
  const { sync, ends, db, snapshot, pool, clock, random, signal, onProgress } = init
  const options: AbortOptions = { ...(signal && { signal }) }
  const run = init.run ?? newUuid(clock.nowMs(), random)
  if (drop) {
    // The ends first: a crash in between leaves them ahead, which a person has to accept once more.
    if (union) for (const end of ENDS) await opened[end]?.count(sync.uuid, counter, options)
    await dropArchive(db, sync.id, { ...options, ...(union && { batch: counter }) })
  }
  const counting = new RunCounting({ db, sync, run, beganAtMs: clock.nowMs(), roots: opened, ...options })
  // Until the run agrees no archive counts then: nobody reads it.
  const fold = new Fold({ db, sync: sync.id, planFile, behind: !archive, ...options })
  const changes = new ChangeLog(db, { run, sync: sync.id }, () => clock.nowMs())
  const endOf = async (end: End): Promise<TransitionEnd> => {
    const at = opened[end]
    const stage = await at?.stage(options)
    const here = at?.here && { root: at.here.root, staging: await at.here.staging(options) }
    const keepsIdentity = at?.capabilities.keepsIdentity ?? true
    const vectors = known && at?.vectors
    const { place, gotOn } = at ?? {}
    return { endpoint: ends[end], stage, here, place, gotOn, capabilities: { keepsIdentity }, vectors }
  }
  let rulesChanged = false
  const doIt = async (): Promise<Transitioned> => {
    for (const end of ENDS) await opened[end]?.announce({ run, ...takenAway(summary, end) }, options)
    // In one order for all daemons: none holds one folder while it waits for one that another holds (root-lock.ts).
    const rootOf = (end: End): string => opened[end]?.here?.root.path ?? ''
    for (const end of [...ENDS].sort((a, b) => (rootOf(a) < rootOf(b) ? -1 : 1))) await opened[end]?.stage(options)
    const [source, destination] = await Promise.all([endOf('source'), endOf('destination')])
    const transition = new Transition({
      ends: { source, destination },
      ...{ snapshot, planFile, pool, run, unread, signal },
      resumes: isFar(ends),
      batchSteps: init.batchSteps,
      // The row of the run, which the first of them makes, is there before what refers to it: writes keep their order.
      beforeBatch: async steps => {
        await Promise.all([counting.begin(steps.flatMap(({ ops }) => ops)), changes.begin(steps)])
      },
      afterBatch: done => {
        rulesChanged ||= done.some(({ op }) => nameOf(op.kind === 'move' ? op.to : op.path) === IGNORE_FILE)
        return changes.add(done)
      },
      afterNoted: upTo => fold.noteDecided(upTo),
      onProgress: p => onProgress?.({ ...p, of: summary.totals.operations }),
      onLearned: summary.totals.operations === 0 ? init.onVersions : undefined
    })
    return transition.run().finally(async () => {
      await fold.stop()
      await changes.end()
    })
  }
  const result = summary.operations === 0 ? NOTHING_DONE : await doIt()
  const folded = await fold.end()
  const unsettled = [...folded.unsettled, ...result.unsettled.map(path => ({ path, why: 'problem' }))]
  // What was said yes to, and a first agreement, the guards do not count: they begin after it.
  const windowFrom = forced || union || !archive ? clock.nowMs() + 1 : null
  const idle = summary.operations === 0 && folded.changes === 0 && archive && !forced
  if (!idle || unsettled.length > 0 || hasUnsettled(db, sync.id)) {
    const { batch } = counting
    await db.write(archiving.agree, { sync: sync.id, batch, agreed: folded.agreed, unsettled, windowFrom })
  }
  if (answersOf(db, sync.id).size > 0) await db.write(answering.carriedOut, { sync: sync.id })
  if (known !== undefined) await snapshot.write(snapshotting.vectorsKnown, known)
  await noteCompared({ pool, snapshot, db, sync: sync.id, plan: summary, rules, ...options })
  const asked = { planFile, snapshotFile: snapshot.file, limit: MAX_REMARKS }
  const { remarks, unread: unreadable } = await pool.run(planning.remarks, asked, { signal })
  const problems = [...result.problems, ...unreadable]
  // By hints alone nobody looked at the rest.
  const settled = init.hints === undefined && unsettled.length + problems.length === 0
  const told = { remarks, union, later, rulesChanged, settled }
  return { state: 'done', run, plan: summary, result: { ...result, problems }, ...told }
}

const hasUnsettled = (db: Database, sync: number): boolean =>
  db.get('SELECT 1 AS n FROM sync_unsettled WHERE sync = ? LIMIT 1', [sync]) !== undefined

/** Content comes over a connection, which may be lost. */
export const isFar = (ends: SessionInit['ends']): boolean => ENDS.some(end => ends[end].sync !== undefined)

function takenAway({ totals }: Planned['summary'], end: End) {
  const { removed, repacked, replaced, directoriesRemoved } = totals[end]
  return { removed, repacked, replaced, directoriesRemoved }
}
