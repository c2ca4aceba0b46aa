/** Bringing back: a file, a folder or a whole end as of a moment, to an end of the sync or into another folder (SYNC.md 8). */
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
import { ENDS, type End, type Operation } from '../reconcile/index.js'
import {
  type IgnoreRules,
  ignoreRules,
  type Loan,
  type PlanSummary,
  type Sync,
  scanEnd,
  snapshotting
} from '../session/index.js'
import { type BringInit, bring, planBring, plannedOperations } from './bring.js'
import { fill, type Past } from './fill.js'
import type { HistoryInit } from './history.js'
import { settleEnds } from './interrupted.js'
import { lastBefore, momentFor, reachable, shownTime } from './moment.js'
import { HistoryRun } from './run.js'
import { openStoreAt, type StoreAt } from './store-at.js'
import { endTarget, folderTarget } from './target.js'
import { type Work, withWork } from './work.js'
import { working } from './work.worker.js'

export interface RestoreAsked {
  /** Below the root of the sync; '' is all of it. */
  readonly path: RelPath
  /** Left out: what is kept of it that differs from what is there, the newest. */
  readonly atMs?: number | undefined
  readonly to: End | { readonly folder: AbsPath }
  /** What came after that moment stays; always so where no moment is named. */
  readonly keepNew?: boolean | undefined
  readonly dryRun?: boolean | undefined
}

export interface Restored {
  /** Undefined when nothing was to be done, and for a folder that is no end of a sync. */
  readonly run: string | undefined
  /** As of which moment; undefined: as the other end has it today. */
  readonly atMs: number | undefined
  readonly summary: PlanSummary
  /** The first of what is done. */
  readonly list: readonly Operation[]
  readonly operations: number
  readonly bytes: number
  readonly problems: readonly Problem[]
  readonly problemCount: number
  /** The sync rests now: its next run would take away again what was restored. */
  readonly paused: boolean
  readonly dryRun: boolean
}

export interface RestoreFromAsked extends Omit<RestoreAsked, 'to'> {
  /** A folder with versions in it. */
  readonly from: AbsPath
  readonly folder: AbsPath
}

/** Operations told of a plan. */
export const TOLD_OPERATIONS = 200

type Target = { readonly end: End; readonly endpoint: Endpoint } | { readonly folder: AbsPath }

/** Restores out of the versions of a sync. */
export async function restore(
  init: HistoryInit,
  sync: Sync,
  asked: RestoreAsked,
  options: AbortOptions = {}
): Promise<Restored> {
  const { signal } = options
  const holders: readonly End[] = sync.mode === 'bidirectional' ? ENDS : ['destination']
  const target = typeof asked.to === 'string' ? asked.to : undefined
  const at: End = sync.mode !== 'bidirectional' ? 'destination' : (target ?? 'destination')
  // To an end only by the rules of both.
  const which = target === undefined ? holders : ENDS
  return init.syncs.lend(sync, which, options, async loan => {
    await settleEnds(init, sync, loan, options)
    for (const end of which)
      await scanEnd({ at: end, endpoint: loan.ends[end]!, snapshot: loan.snapshot, pool: init.pool, ...options })
    const stores = await openStores(
      init,
      holders.map(end => loan.ends[end]!),
      options
    )
    try {
      const ignore = target === undefined ? [] : await rulesOf(sync, loan, signal)
      const past: Past = {
        ...{ now: loan.ends[at]!, at, snapshotFile: loan.snapshot.file, stores, ignore, what: sync.name }
      }
      const to: Target =
        target === undefined ? (asked.to as { folder: AbsPath }) : { end: target, endpoint: loan.ends[target]! }
      return await withWork(loan.dir, work => goBack(init, { sync, loan }, { past, to, asked, work, at }, options))
    } finally {
      for (const store of stores) await store.close()
    }
  })
}

/** Restores out of a folder alone: no sync, no archive, nothing is known of it but what lies in it. */
export async function restoreFrom(
  init: HistoryInit,
  asked: RestoreFromAsked,
  dir: AbsPath,
  options: AbortOptions = {}
): Promise<Restored> {
  const now = await init.open(asked.from, options)
  try {
    const store = await openStoreAt(init.open, asked.from, options)
    if (store === undefined) {
      throw new SpacedriveError(
        'NO_VERSIONS',
        `could not restore from ${displayPath(asked.from)}: no versions are kept there`,
        {
          hint: 'Name the folder that a sync wrote to: the one with `.spacedrive/versions` in it.'
        }
      )
    }
    try {
      return await init.withSnapshot(dir, async snapshot => {
        await scanEnd({ at: 'destination', endpoint: now, snapshot, pool: init.pool, ...options })
        const past: Past = {
          ...{ now, at: 'destination', snapshotFile: snapshot.file, stores: [store], ignore: [] },
          what: displayPath(asked.from)
        }
        const to: Target = { folder: asked.folder }
        return withWork(dir, work =>
          goBack(init, undefined, { past, to, asked: { ...asked, to }, work, at: 'destination' }, options)
        )
      })
    } finally {
      await store.close()
    }
  } finally {
    await now.close()
  }
}

interface GoBack {
  readonly past: Past
  readonly to: Target
  readonly asked: RestoreAsked
  readonly work: Work
  readonly at: End
}

async function goBack(
  init: HistoryInit,
  of: { readonly sync: Sync; readonly loan: Loan } | undefined,
  { past, to, asked, work, at }: GoBack,
  options: AbortOptions
): Promise<Restored> {
  const { clock } = init
  const { path } = asked
  const logs = past.stores.map(({ log }) => log)
  const end = 'end' in to ? to.end : undefined
  const same = end === at
  const moments: (number | undefined)[] = []
  if (asked.atMs !== undefined) {
    const reach = await reachable(logs, options)
    moments.push(momentFor(asked.atMs, reach, { nowMs: clock.nowMs(), what: past.what }))
  } else {
    // What the other end has today, if that is another thing; else what there was before the newest change.
    if (!same) moments.push(undefined)
    const before = await lastBefore(logs, path, options)
    if (before !== undefined) moments.push(before)
  }
  const target =
    'end' in to
      ? await endTarget(init, of!.sync, to.endpoint, options)
      : await folderTarget(init, to.folder, asNew(path), { ...options, dryRun: asked.dryRun === true })
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
      const bringing: BringInit = {
        ...{ work, pool: init.pool, target, now: past.now, same, keepNew: asked.keepNew ?? asked.atMs === undefined },
        ...{ stores: past.stores.flatMap(({ contents }) => contents ?? []), ignore: past.ignore, ...options }
      }
      const { summary, missing } = await planBring(bringing)
      if (summary.operations === 0 && missing.count === 0 && !last) continue
      const list = await plannedOperations(bringing, TOLD_OPERATIONS)
      const lost = missing.paths.map(p => lostProblem(p))
      const shared = { atMs, summary, list, dryRun: asked.dryRun === true }
      if (asked.dryRun === true || summary.operations === 0) {
        return {
          ...{ ...shared, run: undefined, operations: 0, bytes: 0, paused: false },
          ...{ problems: lost, problemCount: missing.count }
        }
      }
      if (of !== undefined && end !== undefined) await of.loan.snapshot.write(snapshotting.begin, undefined)
      const done = new HistoryRun(init, of?.sync, 'restore')
      const result = await done.during(end, async changes =>
        bring(bringing, { run: done.id, ...(changes && { afterBatch: d => changes.add(d) }) })
      )
      const problems = [...lost, ...result.problems]
      const problemCount = missing.count + result.unsettled.length
      const paused = of !== undefined && end === 'destination' && of.sync.mode !== 'bidirectional'
      if (paused) await init.syncs.pause(of.sync, RESTORED)
      const { operations, bytes } = result
      await done.end({ operations, bytes, problems })
      return { ...shared, run: done.recorded, operations, bytes, problems, problemCount, paused }
    }
    throw notThen(past, path, undefined)
  } finally {
    await target.close()
  }
}

export const RESTORED = 'something was restored or taken back, and the next run would undo that. `sync resume` goes on'

async function rulesOf(sync: Sync, { ends, snapshot }: Loan, signal: AbortSignal | undefined): Promise<IgnoreRules[]> {
  return ignoreRules({
    patterns: sync.ignore,
    ends: ends as Record<End, Endpoint>,
    snapshot,
    ...(signal && { signal })
  })
}

async function openStores(
  { open }: HistoryInit,
  ends: readonly Endpoint[],
  options: AbortOptions
): Promise<readonly StoreAt[]> {
  const stores = await Promise.all(ends.map(end => openStoreAt(open, end.local!.path, options)))
  return stores.filter(store => store !== undefined)
}

/** In a folder of its own name, all of it in the folder itself. */
const asNew = (path: RelPath): RelPath => (path === ROOT ? ROOT : (nameOf(path) as string as RelPath))

export function lostProblem(path: RelPath): Problem {
  const shown = displayPath(path)
  return {
    ...{ path: shown, code: 'NO_VERSION' },
    message: `could not restore ${shown}: what it held then is not kept any more; it was left as it is`
  }
}

function notThen({ what }: Past, path: RelPath, atMs: number | undefined): SpacedriveError {
  const shown = path === ROOT ? what : `${displayPath(path)} of ${what}`
  if (atMs === undefined) {
    return new SpacedriveError('NO_VERSION', `could not restore ${shown}: no earlier state of it is kept`, {
      hint: '`spacedrive sync versions NAME` shows what is.'
    })
  }
  const when = shownTime(atMs)
  return new SpacedriveError('NO_VERSION', `could not restore ${shown}: there was no such thing at ${when}`, {
    hint: `\`spacedrive sync versions NAME ${displayPath(path)}\` shows when there was.`
  })
}
