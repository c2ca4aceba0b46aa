import type { AbortOptions, Logger } from '../../storage/base/index.js'
import type { Endpoint } from '../endpoints/index.js'
import { ENDS, type End } from '../reconcile/index.js'
import { type Loan, type Sync, settleIntents } from '../session/index.js'
import type { HistoryInit } from './history.js'

/**
 * What a crash left of a restore or an undo, completed or taken back before any session looks at the ends. Sessions do that for
 * the ends they write to; the source of a one-way sync, only this does.
 */
export async function settleInterrupted(init: HistoryInit, log: Logger, options: AbortOptions = {}): Promise<void> {
  for (const sync of init.syncs.list()) {
    if (!wasInterrupted(init, sync)) continue
    for (const end of ENDS.filter(at => sync[at].device === null))
      await init.syncs
        .lend(sync, [end], options, async ({ ends }) => {
          await settleEnd(init, sync, { end, endpoint: ends[end]! }, options)
        })
        .catch(err => log.warn('what a restore left could not be settled', { sync: sync.name, end, err }))
  }
}

/** Within the time that runs are kept: looking once too often costs nothing. */
const wasInterrupted = ({ db }: HistoryInit, { id }: Sync): boolean =>
  db.get(
    `SELECT 1 AS n FROM sync_runs WHERE sync = ? AND kind <> 'run' AND (ended_at IS NULL OR state = 'interrupted') LIMIT 1`,
    [id]
  ) !== undefined

/** What a crash left at the ends that the sync writes to, first. @param also - an end that is about to be written to, too */
export async function settleEnds(
  init: HistoryInit,
  sync: Sync,
  { ends }: Loan,
  { also, ...options }: AbortOptions & { readonly also?: End | undefined }
): Promise<void> {
  for (const end of ENDS) {
    const endpoint = ends[end]
    if (endpoint?.local === undefined || (end === 'source' && sync.mode !== 'bidirectional' && also !== end)) continue
    await settleEnd(init, sync, { end, endpoint }, options)
  }
}

async function settleEnd(
  { db, openEnd, clock }: HistoryInit,
  { id, uuid }: Sync,
  { end, endpoint }: { readonly end: End; readonly endpoint: Endpoint },
  options: AbortOptions
): Promise<void> {
  await (await openEnd(endpoint, uuid, clock, options)).close()
  await settleIntents({ db, sync: id, end, endpoint }, options)
}
