/** The way back itself: the moment is chosen, the way planned and, unless it is a preview, gone. */
import {
  type AbortOptions,
  type AbsPath,
  displayPath,
  nameOf,
  type Problem,
  type RelPath,
  ROOT,
  SpacedriveError
} from '../../storage/base/index.js'
import type { Endpoint } from '../endpoints/index.js'
import type { End } from '../reconcile/index.js'
import {
  type Loan,
  type PlanSummary,
  type SessionEnd,
  type Sync,
  scanEnd,
  snapshotting,
  type Transitioned
} from '../session/index.js'
import { bringWithin, letRest } from './attempt.js'
import { type BringInit, planBring, plannedOperations } from './bring.js'
import { type Attempt, type Course, cut, type Listed, listed } from './course.js'
import { fill, type Past } from './fill.js'
import type { HistoryInit } from './history.js'
import { lastBefore, momentFor, reachable, shownTime } from './moment.js'
import type { RestoreAsked } from './restore.js'
import { HistoryRun } from './run.js'
import { endTarget, folderTarget, type OpenTarget } from './target.js'
import { TARGET } from './then-rows.js'
import type { Work } from './work.js'
import { working } from './work.worker.js'

export interface Restored {
  /** Undefined when nothing was to be done, and for a folder that is no end of a sync. */
  readonly run: string | undefined
  /** As of which moment; undefined: as the other end has it today. */
  readonly atMs: number | undefined
  readonly summary: PlanSummary
  /** The first of what is done. */
  readonly list: readonly Listed[]
  readonly operations: number
  readonly bytes: number
  readonly problems: readonly Problem[]
  readonly problemCount: number
  /** The sync rests now: its next run would take away again what was restored. */
  readonly paused: boolean
  readonly dryRun: boolean
}

export const RESTORED = 'something was restored or taken back, and the next run would undo that'

/** Operations told of a plan. */
export const TOLD_OPERATIONS = 200

/** An end of the sync (`far`: open for writing on another device), or a folder of its own. */
export type Target =
  | { readonly end: End; readonly endpoint: Endpoint; readonly far: SessionEnd | undefined }
  | { readonly folder: AbsPath }

export interface GoBack {
  readonly past: Past
  readonly to: Target
  readonly asked: RestoreAsked
  readonly work: Work
  readonly at: End
  /** Undefined: a preview. */
  readonly attempt: Attempt | undefined
}

/** Chooses the moment, plans the way back and goes it. @throws as `SyncHistory.restore` */
export async function goBack(
  init: HistoryInit,
  of: { readonly sync: Sync; readonly loan: Loan } | undefined,
  { past, to, asked, work, at, attempt }: GoBack,
  options: AbortOptions
): Promise<Restored> {
  const { path } = asked
  const end = 'end' in to ? to.end : undefined
  const same = end === at
  const course = attempt?.course
  attempt?.onPhase('Planning the way back')
  const moments = await momentsOf(init, { past, asked, same, course }, options)
  const target =
    'end' in to
      ? await endTarget(init, of!.sync, to, options)
      : await folderTarget(init, to.folder, asNew(path), {
          ...{ ...options, dryRun: attempt === undefined, begun: course?.begun === true }
        })
  try {
    for (const [i, atMs] of moments.entries()) {
      if (i > 0) await work.db.maintain(working.clear, undefined)
      const found = await fill(
        work,
        past,
        { path, as: end === undefined ? asNew(path) : path, end, same, atMs },
        options
      )
      const last = i === moments.length - 1
      if (found === 0 && !last) continue
      if (found === 0) throw notThen(past, path, atMs)
      const there = end === undefined && course?.begun === true ? await keepThere(init, target, work, options) : NONE
      const bringing: BringInit = {
        ...{ work, pool: init.pool, target, now: past.now, same, keepNew: asked.keepNew ?? asked.atMs === undefined },
        ...{ stores: past.stores.flatMap(({ contents }) => contents ?? []), ignore: past.ignore, ...options }
      }
      const { summary, missing } = await planBring(bringing)
      const left = missing.count + there.count
      if (summary.operations === 0 && left === 0 && !last) continue
      const list = listed(await plannedOperations(bringing, TOLD_OPERATIONS))
      const lost = cut([...missing.paths.map(lostProblem), ...there.paths.map(takenProblem)])
      const shared = { atMs, summary, list, dryRun: attempt === undefined }
      if (attempt === undefined) {
        const nothing = { run: undefined, operations: 0, bytes: 0, paused: false }
        return { ...shared, ...nothing, problems: lost, problemCount: left }
      }
      const done = new HistoryRun(init, end === undefined ? undefined : of?.sync, {
        kind: 'restore',
        course: attempt.course
      })
      const result = await bringBack(init, { of, end, bringing, done, atMs, attempt, summary })
      const { operations, bytes } = result
      const problems = cut([...lost, ...result.problems])
      await done.end({ operations, bytes, problems })
      return {
        ...{ ...shared, run: done.recorded, operations, bytes, problems },
        ...{ problemCount: left + result.unsettled.length, paused: attempt.course.rests !== 'no' }
      }
    }
    throw notThen(past, path, undefined)
  } finally {
    await target.close()
  }
}

interface Choice {
  readonly past: Past
  readonly asked: RestoreAsked
  readonly same: boolean
  readonly course: Course | undefined
}

/** The moments to try, the best first; undefined: as the other end has it today. What goes on goes on to the same one. */
async function momentsOf(
  { clock }: HistoryInit,
  { past, asked, same, course }: Choice,
  options: AbortOptions
): Promise<readonly (number | undefined)[]> {
  const logs = past.stores.map(({ log }) => log)
  if (course?.moment) return [course.moment.atMs ?? undefined]
  if (asked.atMs !== undefined) {
    const reach = await reachable(logs, options)
    return [momentFor(asked.atMs, reach, { nowMs: clock.nowMs(), what: past.what, shows: past.shows })]
  }
  // What the other end has today, if that is another thing; else what there was before the newest change.
  const before = await lastBefore(logs, asked.path, options)
  return [...(same ? [] : [undefined]), ...(before === undefined ? [] : [before])]
}

interface BringBack {
  readonly of: { readonly sync: Sync; readonly loan: Loan } | undefined
  readonly end: End | undefined
  readonly bringing: BringInit
  readonly done: HistoryRun
  readonly atMs: number | undefined
  readonly attempt: Attempt
  readonly summary: PlanSummary
}

/** Does what was planned, the sync at rest where its next run would take it away again. */
async function bringBack(
  init: HistoryInit,
  { of, end, bringing, done, atMs, attempt, summary }: BringBack
): Promise<Pick<Transitioned, 'operations' | 'bytes' | 'problems' | 'unsettled'>> {
  const { course } = attempt
  if (summary.operations === 0) return { operations: done.before, bytes: course.bytes, problems: [], unsettled: [] }
  attempt.onPhase('Bringing back')
  if (of !== undefined && end === 'destination' && of.sync.mode !== 'bidirectional')
    await letRest(init, of.sync, course, RESTORED)
  course.begun = true
  course.moment = { atMs: atMs ?? null }
  await attempt.keep()
  if (of !== undefined && end !== undefined) await of.loan.snapshot.write(snapshotting.begin, undefined)
  const result = await bringWithin(done, { end, bringing, attempt, summary })
  return { ...result, operations: done.before + result.operations, bytes: course.bytes }
}

/** What is in the folder already stays as it is. */
async function keepThere(
  { pool, withSnapshot }: HistoryInit,
  { endpoint }: OpenTarget,
  { db, dir }: Work,
  options: AbortOptions
): Promise<{ readonly paths: readonly RelPath[]; readonly count: number }> {
  return withSnapshot(dir, 'onto', async snapshot => {
    await scanEnd({ at: 'destination', endpoint, snapshot, pool, ...options })
    await db.maintain(working.copyEnd, { snapshotFile: snapshot.file, from: 'destination', at: TARGET, path: ROOT })
    return db.write(working.keepThere, { limit: TOLD_OPERATIONS })
  })
}

const NONE = { paths: [], count: 0 } as const

/** In a folder of its own name, all of it in the folder itself. */
const asNew = (path: RelPath): RelPath => (path === ROOT ? ROOT : (nameOf(path) as string as RelPath))

export function lostProblem(path: RelPath): Problem {
  const shown = displayPath(path)
  return {
    ...{ path: shown, code: 'NO_VERSION' },
    message: `could not restore ${shown}: what it held then is not kept any more; it was left as it is`
  }
}

function takenProblem(path: RelPath): Problem {
  const shown = displayPath(path)
  return {
    ...{ path: shown, code: 'EXISTS' },
    message: `could not restore ${shown}: something else has that name by now; it was left as it is`
  }
}

function notThen({ what, shows }: Past, path: RelPath, atMs: number | undefined): SpacedriveError {
  const shown = path === ROOT ? what : `${displayPath(path)} of ${what}`
  if (atMs === undefined) {
    return new SpacedriveError('NO_VERSION', `could not restore ${shown}: no earlier state of it is kept`, {
      hint: `What can be gone back to: ${shows}.`
    })
  }
  const when = shownTime(atMs)
  return new SpacedriveError('NO_VERSION', `could not restore ${shown}: there was no such thing at ${when}`, {
    hint: `What can be gone back to: ${shows}.`
  })
}
