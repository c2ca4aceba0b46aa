/** Taking back a run, or all since a time, on both ends, where nothing newer stands in the way (SYNC.md 7). */
import {
  type AbortOptions,
  displayPath,
  type Problem,
  type RelPath,
  ROOT,
  SpacedriveError,
  typed
} from '../../storage/base/index.js'
import { ENDS, type End } from '../reconcile/index.js'
import {
  ignoreRules,
  type Loan,
  type RunKind,
  type Sync,
  scanEnd,
  snapshotting,
  writableEnds
} from '../session/index.js'
import { formatLine } from '../versions/index.js'
import { bringWithin, letRest } from './attempt.js'
import { type BringInit, planBring, plannedOperations } from './bring.js'
import { type Attempt, cut, type HistoryOptions, type Listed, listed, turnOptions } from './course.js'
import { ensureWritable, type FarOpen, withFarOpen } from './far-open.js'
import { lostProblem, TOLD_OPERATIONS } from './go-back.js'
import type { HistoryInit } from './history.js'
import { settleEnds } from './interrupted.js'
import type { Left } from './judgement.js'
import { storeOf } from './kept-at.js'
import { HistoryRun } from './run.js'
import { endTarget } from './target.js'
import { TARGET } from './then-rows.js'
import { undoing } from './undo.worker.js'
import { untilThere } from './until-there.js'
import { type Work, withWork } from './work.js'
import { working } from './work.worker.js'

export interface UndoAsked {
  /** The id of a run; without it and `sinceMs` the last one that changed something. */
  readonly run?: string | undefined
  /** All runs that began since then. */
  readonly sinceMs?: number | undefined
  /** Only at what lies on this device, whether or not the other one can be asked. */
  readonly here?: boolean | undefined
}

/** Which runs is chosen once: by then it is itself the newest one. */
export interface UndoAttempt extends Attempt {
  readonly runs: readonly string[]
  readonly here: boolean
}

export interface UndoneRun {
  readonly id: string
  readonly kind: RunKind
  readonly beganAtMs: number
}

export interface Undone {
  /** What was taken back, newest first. */
  readonly runs: readonly UndoneRun[]
  /** The run that did it; undefined when nothing was done. */
  readonly run: string | undefined
  readonly list: readonly (Listed & { readonly at: End })[]
  readonly operations: number
  readonly bytes: number
  /** What stays as it is, and why; the first of it. */
  readonly left: readonly (Left & { readonly end: End })[]
  readonly leftCount: number
  readonly problems: readonly Problem[]
  readonly problemCount: number
  readonly paused: boolean
  readonly dryRun: boolean
}

/** Held in memory while it is judged; beyond it `sync restore --at` does the same. */
export const MAX_UNDONE_CHANGES = 200_000
const MAX_LEFT = 1_000
const LINES_PAGE = 1_000
const PLAN_PAGE = 1_000
/** Lines carry the clock of when they were written: it may have been set since. */
const CLOCK_SLACK_MS = 24 * 3_600_000

/** @throws {SpacedriveError} NOTHING_TO_UNDO, RUN_NOT_FOUND, TOO_MUCH_TO_UNDO, ROOT_AWAY */
export async function undo(
  init: HistoryInit,
  sync: Sync,
  asked: UndoAsked,
  given: HistoryOptions<UndoAttempt> = {}
): Promise<Undone> {
  const { attempt } = given
  const options = turnOptions(given)
  const { signal } = options
  const here = attempt?.here ?? asked.here === true
  const which = here ? endsHere(sync) : ENDS
  const work = async (loan: Loan, far: FarOpen): Promise<Undone> => {
    await settleEnds(init, sync, loan, { signal, also: 'source' })
    const runs = runsToUndo(init, sync, attempt?.runs ?? asked)
    for (const end of which)
      await scanEnd({
        ...{ at: end, endpoint: loan.ends[end]!, snapshot: loan.snapshot, pool: init.pool, signal },
        onProgress: ({ entries }) => attempt?.onScan(entries)
      })
    attempt?.onPhase('Planning the way back')
    const done = attempt && new HistoryRun(init, sync, { kind: 'undo', course: attempt.course })
    const sum = {
      ...{ list: [] as (Listed & { at: End })[], left: [] as (Left & { end: End })[], problems: [] as Problem[] },
      ...{ operations: 0, bytes: 0, leftCount: 0, problemCount: 0 }
    }
    // First where a device of its own will may refuse it: then nothing was done anywhere.
    for (const end of [...which].sort(a => (far[a] === undefined ? 1 : -1))) {
      const part = await withWork(loan.dir, work =>
        undoAt(init, { sync, loan, far, end, runs, work, done, attempt }, { signal })
      )
      if (part === undefined) continue
      for (const key of ['operations', 'bytes', 'leftCount', 'problemCount'] as const) sum[key] += part[key]
      sum.list.push(...part.list.map(op => ({ ...op, at: end })))
      sum.left.push(...part.left.map(left => ({ ...left, end })))
      sum.problems.push(...part.problems)
    }
    const lists = { list: cut(sum.list), left: cut(sum.left), problems: cut(sum.problems) }
    if (attempt === undefined || done === undefined)
      return { ...sum, ...lists, runs, run: undefined, paused: false, dryRun: true }
    const { bytes, rests } = attempt.course
    const all = { ...sum, ...lists, operations: done.before + sum.operations, bytes }
    await done.end(all)
    return { ...all, runs, run: done.recorded, paused: rests !== 'no', dryRun: false }
  }
  // Where all that runs change lies there, nothing is left to be taken back here.
  const some = writableEnds(sync.mode).some(end => sync[end].device === null)
  const otherwise = some ? ` \`spacedrive sync undo ${typed(sync.name)} --here\` takes back what lies here alone.` : ''
  return untilThere(init, sync, { attempt, otherwise }, () =>
    init.syncs.lend(sync, which, options, loan =>
      withFarOpen(init, { sync, loan, which }, { signal }, far => work(loan, far))
    )
  )
}

const endsHere = (sync: Sync): readonly End[] => ENDS.filter(end => sync[end].device === null)

const AGAIN = 'a run was taken back, and the next run would do it again'
const CARRIED = 'a run was taken back, and the next run would carry that to the other end'

/** @param asked - or the ids of the runs, once they were chosen @throws {SpacedriveError} NOTHING_TO_UNDO, RUN_NOT_FOUND */
export function runsToUndo(
  { db }: HistoryInit,
  sync: Sync,
  asked: UndoAsked | readonly string[]
): readonly UndoneRun[] {
  const rows = db.all<{ id: string; kind: string; began_at: number }>(
    `SELECT id, kind, began_at FROM sync_runs r WHERE sync = ? AND (EXISTS (SELECT 1 FROM sync_changes c WHERE c.run = r.id)
       OR EXISTS (SELECT 1 FROM sync_intents i WHERE i.run = r.id)) ORDER BY began_at DESC, id DESC`,
    [sync.id]
  )
  const all = rows.map(r => ({ id: r.id, kind: r.kind as RunKind, beganAtMs: r.began_at }))
  const { run, sinceMs } = isChosen(asked) ? {} : asked
  const chosen = isChosen(asked)
    ? all.filter(r => asked.includes(r.id))
    : run !== undefined
      ? all.filter(r => r.id === run)
      : sinceMs !== undefined
        ? all.filter(r => r.beganAtMs >= sinceMs)
        : all.slice(0, 1)
  if (chosen.length > 0) return chosen
  const hint =
    'What runs did is kept for 30 days: `spacedrive sync status NAME --runs` shows them. `sync restore --at` reaches further.'
  if (run !== undefined)
    throw new SpacedriveError('RUN_NOT_FOUND', `there is no run ${run} of ${sync.name} that changed something`, {
      hint
    })
  throw new SpacedriveError(
    'NOTHING_TO_UNDO',
    // What was chosen was cut off by a crash, as it turned out before it had done anything.
    isChosen(asked)
      ? `that run of ${sync.name} was cut off before it changed anything`
      : `no run of ${sync.name} changed anything${sinceMs === undefined ? '' : ' since then'}`,
    {
      hint
    }
  )
}

const isChosen = (asked: UndoAsked | readonly string[]): asked is readonly string[] => Array.isArray(asked)

interface UndoAt {
  readonly sync: Sync
  readonly loan: Loan
  readonly far: FarOpen
  readonly end: End
  readonly runs: readonly UndoneRun[]
  readonly work: Work
  readonly done: HistoryRun | undefined
  readonly attempt: UndoAttempt | undefined
}

type Part = Pick<Undone, 'operations' | 'bytes' | 'leftCount' | 'problemCount' | 'problems'> & {
  readonly list: readonly Listed[]
  readonly left: readonly Left[]
}

/** @returns undefined when the runs changed nothing at this end */
async function undoAt(
  init: HistoryInit,
  { sync, loan, far, end, runs, work, done, attempt }: UndoAt,
  options: AbortOptions
): Promise<Part | undefined> {
  const { db } = work
  // What an attempt before took back is taken back: with its own changes they come to nothing.
  const ids = [...runs.map(r => r.id), ...(attempt?.course.begun === true ? [attempt.course.run] : [])]
  const count = await db.maintain(undoing.load, {
    ...{ instanceFile: init.db.file, sync: sync.id, end: ENDS.indexOf(end), runs: ids }
  })
  if (count === 0) return undefined
  if (count > MAX_UNDONE_CHANGES) {
    throw new SpacedriveError('TOO_MUCH_TO_UNDO', `could not take back ${count} changes of ${sync.name} at once`, {
      hint: `\`spacedrive sync restore ${typed(sync.name)} --at TIME --to source|destination\` brings back the state before them.`
    })
  }
  const endpoint = loan.ends[end]!
  ensureWritable(init, sync, end)
  const store = await storeOf(init, sync, { end, endpoint }, { contents: true, ...options })
  const target = await endTarget(init, sync, { endpoint, far: far[end] }, options)
  try {
    await db.maintain(working.copyEnd, { snapshotFile: loan.snapshot.file, from: end, at: TARGET, path: ROOT })
    const began = Math.min(...runs.map(r => r.beganAtMs)) - CLOCK_SLACK_MS
    let texts: string[] = []
    for await (const line of store?.log.newestFirst(options) ?? []) {
      if (line.atMs < began) break
      if (!ids.includes(line.run)) continue
      texts.push(formatLine(line))
      if (texts.length === LINES_PAGE) await db.write(undoing.addLines, { texts: texts.splice(0) })
    }
    await db.write(undoing.addLines, { texts })
    texts = []
    const { left, leftCount } = await db.write(undoing.judge, { limit: MAX_LEFT })
    await db.write(working.buildThen, { base: TARGET, same: true, path: ROOT, as: ROOT })
    const bringing: BringInit = {
      ...{ work, pool: init.pool, target, now: endpoint, same: true, keepNew: false, ...options },
      stores: store?.contents === undefined ? [] : [store.contents],
      ignore: await ignoreRules({ patterns: sync.ignore, ends: loan.ends, snapshot: loan.snapshot })
    }
    const { summary, missing } = await planBring(bringing)
    await ensureOnlyTheirs(bringing, sync)
    const list = listed(await plannedOperations(bringing, TOLD_OPERATIONS))
    const lost = missing.paths.map(lostProblem)
    const nothing = { list, left, leftCount, operations: 0, bytes: 0, problems: lost, problemCount: missing.count }
    if (attempt === undefined || done === undefined || summary.operations === 0) return nothing
    attempt.onPhase('Bringing back')
    // What was taken back at the source of a one-way sync is what its next run goes by.
    if (sync.mode === 'bidirectional' || end === 'destination')
      await letRest(init, sync, attempt.course, sync.mode === 'bidirectional' ? CARRIED : AGAIN)
    attempt.course.begun = true
    await attempt.keep()
    await loan.snapshot.write(snapshotting.begin, undefined)
    const result = await bringWithin(done, { end, bringing, attempt, summary })
    return {
      ...{ ...nothing, operations: result.operations, bytes: result.bytes },
      ...{ problems: [...lost, ...result.problems], problemCount: missing.count + result.unsettled.length }
    }
  } finally {
    await target.close()
    await store?.close()
  }
}

/** An undo takes away and replaces nothing but what the runs left: whatever the plan says. */
async function ensureOnlyTheirs(bringing: BringInit, sync: Sync): Promise<void> {
  for (let from = 0; ; from += PLAN_PAGE) {
    const page = await plannedOperations(bringing, PLAN_PAGE, from)
    const paths = page
      .filter(op => op.kind === 'remove' || op.kind === 'remove-directory' || op.kind === 'replace')
      .map(op => op.path)
    const foreign: readonly RelPath[] = await bringing.work.db.maintain(undoing.foreign, { paths })
    if (foreign.length > 0) {
      throw new SpacedriveError(
        'UNDO_FAULT',
        `could not take it back: ${displayPath(foreign[0]!)} of ${sync.name} would be touched, which the run did not`,
        {
          hint: 'Nothing was touched. This is a fault of the program; `sync restore` with a path and a time gets around it.'
        }
      )
    }
    if (page.length < PLAN_PAGE) return
  }
}
