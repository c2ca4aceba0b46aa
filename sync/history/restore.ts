/** Bringing back: a file, a folder or a whole end as of a moment, to an end of the sync or into another folder (SYNC.md 8). */
import {
  type AbortOptions,
  type AbsPath,
  displayPath,
  type RelPath,
  SpacedriveError,
  typed
} from '../../storage/base/index.js'
import type { Endpoint } from '../endpoints/index.js'
import { ENDS, type End } from '../reconcile/index.js'
import { type IgnoreRules, ignoreRules, type Loan, type Sync, scanEnd } from '../session/index.js'
import { type HistoryOptions, turnOptions } from './course.js'
import { ensureWritable, type FarOpen, withFarOpen } from './far-open.js'
import type { Past } from './fill.js'
import { goBack, type Restored, type Target } from './go-back.js'
import type { HistoryInit } from './history.js'
import { settleEnds } from './interrupted.js'
import { storeOf } from './kept-at.js'
import { openStoreAt, type StoreRead } from './store-at.js'
import { untilThere } from './until-there.js'
import { withWork } from './work.js'

export interface RestoreAsked {
  /** Below the root of the sync; '' is all of it. */
  readonly path: RelPath
  /** Left out: what is kept of it that differs from what is there, the newest. */
  readonly atMs?: number | undefined
  readonly to: End | { readonly folder: AbsPath }
  /** What came after that moment stays; always so where no moment is named. */
  readonly keepNew?: boolean | undefined
}

export interface RestoreFromAsked extends Omit<RestoreAsked, 'to'> {
  /** A folder with versions in it. */
  readonly from: AbsPath
  readonly folder: AbsPath
}

/** Restores out of the versions of a sync. */
export async function restore(
  init: HistoryInit,
  sync: Sync,
  asked: RestoreAsked,
  given: HistoryOptions = {}
): Promise<Restored> {
  const { attempt } = given
  const options = turnOptions(given)
  const { signal } = options
  const holders: readonly End[] = sync.mode === 'bidirectional' ? ENDS : ['destination']
  const target = typeof asked.to === 'string' ? asked.to : undefined
  const at: End = sync.mode !== 'bidirectional' ? 'destination' : (target ?? 'destination')
  // To an end only by the rules of both.
  const which = target === undefined ? holders : ENDS
  if (target !== undefined) ensureWritable(init, sync, target)
  const work = async (loan: Loan, far: FarOpen): Promise<Restored> => {
    await settleEnds(init, sync, loan, { signal, also: target })
    for (const end of which)
      await scanEnd({
        ...{ at: end, endpoint: loan.ends[end]!, snapshot: loan.snapshot, pool: init.pool, signal },
        onProgress: ({ entries }) => attempt?.onScan(entries)
      })
    const stores = await openStores(init, { sync, loan, holders }, { signal })
    try {
      const ignore = target === undefined ? [] : await rulesOf(sync, loan, signal)
      const past: Past = {
        ...{ now: loan.ends[at]!, at, snapshotFile: loan.snapshot.file, stores, ignore, what: sync.name },
        shows: `\`spacedrive sync versions ${typed(sync.name)}\``
      }
      const to: Target =
        target === undefined
          ? (asked.to as { folder: AbsPath })
          : { end: target, endpoint: loan.ends[target]!, far: far[target] }
      return await withWork(loan.dir, work =>
        goBack(init, { sync, loan }, { past, to, asked, work, at, attempt }, { signal })
      )
    } finally {
      for (const store of stores) await store.close()
    }
  }
  return untilThere(init, sync, { attempt }, () =>
    init.syncs.lend(sync, which, options, loan =>
      withFarOpen(init, { sync, loan, which: target === undefined ? [] : [target] }, { signal }, far => work(loan, far))
    )
  )
}

/** Restores out of a folder alone: no sync, no archive, nothing is known of it but what lies in it. */
export async function restoreFrom(
  init: HistoryInit,
  asked: RestoreFromAsked,
  dir: AbsPath,
  given: HistoryOptions = {}
): Promise<Restored> {
  const { attempt } = given
  const { signal } = turnOptions(given)
  const options: AbortOptions = { ...(signal && { signal }) }
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
      return await init.withSnapshot(dir, 'from', async snapshot => {
        await scanEnd({ at: 'destination', endpoint: now, snapshot, pool: init.pool, ...options })
        const past: Past = {
          ...{ now, at: 'destination', snapshotFile: snapshot.file, stores: [store], ignore: [] },
          what: displayPath(asked.from),
          shows: 'the days in its `.spacedrive/versions/lists`'
        }
        const to: Target = { folder: asked.folder }
        return withWork(dir, work =>
          goBack(init, undefined, { past, to, asked: { ...asked, to }, work, at: 'destination', attempt }, options)
        )
      })
    } finally {
      await store.close()
    }
  } finally {
    await now.close()
  }
}

async function rulesOf(sync: Sync, { ends, snapshot }: Loan, signal: AbortSignal | undefined): Promise<IgnoreRules[]> {
  return ignoreRules({
    patterns: sync.ignore,
    ends: ends as Record<End, Endpoint>,
    snapshot,
    ...(signal && { signal })
  })
}

async function openStores(
  init: HistoryInit,
  { sync, loan, holders }: { readonly sync: Sync; readonly loan: Loan; readonly holders: readonly End[] },
  options: AbortOptions
): Promise<readonly StoreRead[]> {
  const stores = await Promise.all(
    holders.map(end => storeOf(init, sync, { end, endpoint: loan.ends[end]! }, { contents: true, ...options }))
  )
  return stores.filter(store => store !== undefined)
}
