import {
  type AbortOptions,
  type AbsPath,
  type Clock,
  hasCode,
  type Random,
  type RelPath,
  type WorkerPool
} from '../../storage/base/index.js'
import type { Database } from '../../storage/sql/index.js'
import type { Endpoint } from '../endpoints/index.js'
import {
  type ConflictPolicy,
  ENDS,
  type End,
  GUARD_LIMITS,
  type GuardLimits,
  type Halt,
  type HaltedBefore,
  judge,
  type Mode,
  mayForce
} from '../reconcile/index.js'
import { applyPlan, isFar } from './apply-plan.js'
import { windowCounts } from './counting.js'
import { acceptedCounter, findMarkers, type IdentityHalt, judgeMarkers, knownCounters } from './guard.js'
import { type Hidden, hiding } from './hidden.worker.js'
import type { Hint } from './hints.js'
import { settleIntents } from './intents.js'
import type { Hints } from './pending.js'
import { type EndFacts, FILES_COUNTED, type PlanSummary, planning, type Remark } from './plan.worker.js'
import { type Planned, planFresh, planSession } from './plan-session.js'
import { writableEnds } from './record.js'
import { Scan, type Scanned, type ScanProgress } from './scan.js'
import { openSessionEnd, type SessionEnd } from './session-end.js'
import type { Transitioned } from './transition.js'
import { isEmptyEnd, mayStayUnread } from './unread-content.js'
import { type Vectors, vectorsHere } from './vectors.js'

/** What a session needs to know of its sync. */
export interface SyncFacts {
  /** `syncs.id` and `syncs.uuid`. */
  readonly id: number
  readonly uuid: string
  readonly mode: Mode
  readonly policy: ConflictPolicy
  /** Patterns of `--ignore`. */
  readonly ignore: readonly string[]
  readonly limits?: GuardLimits | undefined
  /** Names of the devices at the ends, for conflict copies. */
  readonly devices: Readonly<Record<End, string>>
}

export interface SessionComponents {
  /** The instance database. */
  readonly db: Database
  /** Of schema `snapshot`, this sync's own. */
  readonly snapshot: Database
  /** Where the plan is written: a folder of this sync in the data directory. */
  readonly dir: AbsPath
  readonly pool: WorkerPool
  readonly clock: Clock
  readonly random: Random
  /** Versions of the folders here that are in step with other devices. */
  readonly vectors?: Vectors | undefined
}

export interface SessionInit extends SessionComponents, AbortOptions {
  readonly sync: SyncFacts
  readonly ends: Readonly<Record<End, Endpoint>>
  /** Looks only there, at both ends: for the background. Every so often, and after each start, all is to be looked at. */
  readonly hints?: Readonly<Record<End, readonly Hint[]>> | undefined
  /** A person's yes to the plan of a run that halted. */
  readonly force?: HaltedBefore | undefined
  /** A person's word that a disk or a database was put back: it goes on as without an archive, and deletes nothing. */
  readonly acceptRollback?: boolean | undefined
  /** Does exactly the plan with this hash, or nothing. */
  readonly planHash?: string | undefined
  /** What the run is called in the table of runs; made here unless given. */
  readonly run?: string | undefined
  /**
   * Asked about each plan before it is judged: what changed meanwhile (then it is looked at and planned anew), that the plan is
   * to be left to another run, or undefined: go on.
   */
  more?(plan: PlanSummary): Promise<Hints | 'leave' | undefined>
  /** Steps of one batch; unless told as many as may be (`Transition`). A test has several small ones. */
  readonly batchSteps?: number | undefined
  /** Plans and stops there. */
  readonly planOnly?: boolean | undefined
  onPhase?(phase: SessionPhase): void
  onScan?(end: End, progress: ScanProgress): void
  onProgress?(progress: { readonly operations: number; readonly bytes: number; readonly of: number }): void
  /** Versions of so many entries were exchanged so far, while nothing else is done: between folders that are alike that takes minutes. */
  onVersions?(entries: number): void
}

export type SessionPhase = 'Analyzing differences' | 'Exchanging versions' | 'Planning changes' | 'Applying changes'

export type SessionOutcome =
  /** A guard of identity: it did not begin. */
  | { readonly state: 'refused'; readonly guard: IdentityHalt }
  | { readonly state: 'planned'; readonly plan: PlanSummary; readonly halts: readonly Halt[] }
  | { readonly state: 'halted'; readonly plan: PlanSummary; readonly halts: readonly Halt[] }
  | { readonly state: 'other-plan'; readonly plan: PlanSummary }
  /** What was hinted at is as it was: its own writes, say. */
  | { readonly state: 'idle' }
  | {
      readonly state: 'done'
      readonly run: string
      readonly plan: PlanSummary
      readonly result: Transitioned
      readonly remarks: readonly Remark[]
      /** What was put back was accepted: nothing was deleted. */
      readonly union: boolean
      /** Renamed folders that were not looked into: hints for another session, right after this one. */
      readonly later: Later
      /** All of both ends was looked at, and nothing is left over. */
      readonly settled: boolean
      /** Rules were carried over: the next session goes by them, this one went by those of both ends before. */
      readonly rulesChanged: boolean
      /** What the rules leave out; undefined where not everything was compared, or there are none. */
      readonly hidden?: Hidden | undefined
    }

/**
 * One session of a sync between two folders, of which one may be another device's (SYNC.md 7): looks whether they are the folders the archive speaks
 * of, scans both ends, plans, asks the guards, does it, and writes down what was achieved. It is not resumed but run again: what
 * a crash left staged or half placed is taken up first.
 * @throws what concerns an end as a whole; `signal.reason`
 */
export async function runSession(init: SessionInit): Promise<SessionOutcome> {
  const { sync, clock, signal } = init
  const options: AbortOptions = { ...(signal && { signal }) }
  const writable = writableEnds(sync.mode)
  const opened: Opened = {}
  let [through, settled, full] = [false, false, false]
  try {
    const identity = await identify(init, writable, options)
    if (identity.halt !== undefined) return { state: 'refused', guard: identity.halt }
    const vectors = await vectorsHere(init, options)
    const resumes = isFar(init.ends)
    await Promise.all(
      writable.map(async end => {
        const endpoint = init.ends[end]
        const facts = { endpoint, sync: sync.uuid, clock, resumes, vectors: vectors[end] }
        opened[end] = await openSessionEnd(facts, options)
        await settleIntents({ db: init.db, sync: sync.id, end, endpoint }, options)
      })
    )
    init.onPhase?.('Analyzing differences')
    let { later, unread } = await scan(init, init.hints)
    if (init.hints !== undefined && isAsBefore(init)) return { state: 'idle' }
    const lookAgain = async (hints: Hints | undefined): Promise<void> => {
      const again = await scan(init, hints)
      later = joined(later, again.later)
      unread = again.unread
    }
    const makePlan = () => planFresh(() => planSession(init, opened, { union: identity.union, unread }), lookAgain)
    let planned = await makePlan()
    for (let more = await init.more?.(planned.summary); more !== undefined; more = await init.more?.(planned.summary)) {
      if (more === 'leave') return { state: 'planned', plan: planned.summary, halts: [] }
      await lookAgain(more)
      planned = await makePlan()
    }
    const halts = await guards(init, planned)
    const { summary } = planned
    if (init.planOnly === true) return { state: 'planned', plan: summary, halts }
    if (init.planHash !== undefined && init.planHash !== summary.hash) return { state: 'other-plan', plan: summary }
    if (halts.length > 0 && !mayForce(summary.totals, init.force)) return { state: 'halted', plan: summary, halts }
    init.onPhase?.('Applying changes')
    const done = await applyPlan(init, opened, {
      ...planned,
      forced: halts.length > 0,
      counter: identity.counter,
      later
    })
    through = true
    settled = done.state === 'done' && done.settled
    const rules = planned.rules.ignore
    if (!summary.whole || rules.length === 0 || done.state !== 'done') return done
    const { pool, snapshot } = init
    return { ...done, hidden: await pool.run(hiding.count, { snapshotFile: snapshot.file, rules }, options) }
  } catch (err) {
    full = hasCode(err, 'NO_SPACE')
    throw err
  } finally {
    // What was staged here and may not be wanted any more is in the way of what is; the other device sees to its own disk.
    for (const end of writable) await opened[end]?.close(through || (full && opened[end].here !== undefined), settled)
  }
}

/** Nothing changed since all was compared, and nothing waits to be looked at again: a plan would be the one before. */
function isAsBefore({ sync, db, snapshot }: SessionInit): boolean {
  const { batch } = knownCounters(db, sync.id)
  const basis = snapshot.get<{ basis: string | null }>('SELECT basis FROM compared')?.basis
  if (basis == null || !basis.startsWith(`${batch} `)) return false
  const any = (text: string, from: Database, params: readonly number[] = []): boolean =>
    from.get(text, params) !== undefined
  return (
    !any('SELECT 1 AS n FROM touched LIMIT 1', snapshot) &&
    !any('SELECT 1 AS n FROM renamed LIMIT 1', snapshot) &&
    !any('SELECT 1 AS n FROM sync_unsettled WHERE sync = ? LIMIT 1', db, [sync.id])
  )
}

export type Later = Readonly<Record<End, readonly RelPath[]>>
export type Opened = Partial<Record<End, SessionEnd>>

interface Identified {
  readonly halt: IdentityHalt | undefined
  /** Something was put back, and a person said to go on. */
  readonly union: boolean
  /** Where counting goes on then. */
  readonly counter: number
}

async function identify(
  { sync, db, ends, acceptRollback }: SessionInit,
  writable: readonly End[],
  options: AbortOptions
): Promise<Identified> {
  const [known, markers] = [knownCounters(db, sync.id), await findMarkers(ends, options)]
  const shown = { source: ends.source.shown, destination: ends.destination.shown }
  const halt = judgeMarkers({ uuid: sync.uuid, writable, known, markers, shown })
  const union = halt?.reason === 'rolled-back' && acceptRollback === true
  return { halt: union ? undefined : halt, union, counter: acceptedCounter({ uuid: sync.uuid, known, markers }) }
}

async function scan(init: SessionInit, hints: SessionInit['hints']): Promise<LookedAt> {
  const { ends, snapshot, pool, clock, acceptRollback, signal, onScan } = init
  const scans = ENDS.map(
    at =>
      new Scan({
        ...{ at, endpoint: ends[at], snapshot, pool, clock, hints: hints?.[at], ...(signal && { signal }) },
        anew: acceptRollback, // a disk that was put back may be just as it was told of before
        onProgress: progress => onScan?.(at, progress)
      })
  )
  let unread = mayStayUnread(init)
  if (unread) {
    await Promise.all(scans.map(each => each.look()))
    unread = isEmptyEnd(snapshot, 'destination')
    if (!unread) await Promise.all(scans.map(each => each.hash()))
  } else await Promise.all(scans.map(each => each.look().then(() => each.hash())))
  const [source, destination] = scans.map(each => each.scanned) as [Scanned, Scanned]
  return { later: { source: source.later, destination: destination.later }, unread }
}

interface LookedAt {
  readonly later: Later
  /** Files of the source were not read: see `unread-content.ts`. */
  readonly unread: boolean
}

const joined = (a: Later, b: Later): Later => ({
  source: [...a.source, ...b.source],
  destination: [...a.destination, ...b.destination]
})

/** Files are counted up to a bound first: with more of them no guard would be stricter. */
async function guards(init: SessionInit, planned: Planned): Promise<Halt[]> {
  const { summary } = planned
  const halts = judged(init, planned, summary.holds)
  if (halts.length === 0 || ENDS.every(end => summary.holds[end].files < FILES_COUNTED)) return halts
  const { pool, snapshot, signal } = init
  const exact = async (end: End): Promise<EndFacts> => {
    const files = await pool.run(planning.countFiles, { snapshotFile: snapshot.file, end }, { signal })
    return { ...summary.holds[end], files }
  }
  return judged(init, planned, { source: await exact('source'), destination: await exact('destination') })
}

function judged(
  { sync, db, clock }: SessionInit,
  { summary, archive, union }: Planned,
  holds: PlanSummary['holds']
): Halt[] {
  const { removed, replaced } = windowCounts(db, sync.id, clock)
  const facts = (end: End) => ({ ...holds[end], removedBefore: removed[end], replacedBefore: replaced[end] })
  return judge({
    // A union deletes nothing, and what it replaces was said yes to.
    ...{ mode: union ? 'replica' : sync.mode, archive, totals: summary.totals, limits: sync.limits ?? GUARD_LIMITS },
    holds: { source: facts('source'), destination: facts('destination') }
  })
}
