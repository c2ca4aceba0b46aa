import { type AbortOptions, type AbsPath, SpacedriveError } from '../../storage/base/index.js'
import type { Database } from '../../storage/sql/index.js'
import type { Endpoint } from '../endpoints/index.js'
import { ENDS, type End } from '../reconcile/index.js'
import { knownCounters } from './guard.js'
import type { Sync } from './record.js'
import { openRoot, type RootsComponents } from './roots.js'
import type { Snapshots } from './snapshots.js'

/** What is lent for something else than a session. */
export interface Loan {
  /** Those that were asked for. */
  readonly ends: Readonly<Partial<Record<End, Endpoint>>>
  readonly snapshot: Database
  /** The folder of the sync in the data directory. */
  readonly dir: AbsPath
}

/** @throws {SpacedriveError} ROOT_AWAY: an end is not the folder that was synced */
export async function withLoan<T>(
  init: { readonly db: Database; readonly snapshots: Snapshots; readonly roots: RootsComponents },
  sync: Sync,
  which: readonly End[],
  { signal }: AbortOptions,
  work: (loan: Loan) => Promise<T>
): Promise<T> {
  const { db, snapshots, roots } = init
  const ends: Partial<Record<End, Endpoint>> = {}
  try {
    for (const end of which) {
      const marked = knownCounters(db, sync.id).roots[end] !== null
      const opened = await openRoot(roots, sync, end, { marked, signal })
      if ('reason' in opened) {
        const { message, hint, reason } = opened
        throw new SpacedriveError('ROOT_AWAY', message, { hint, details: { reason, end } })
      }
      ends[end] = opened.endpoint
    }
    return await snapshots.use(sync.uuid, snapshot => work({ ends, snapshot, dir: snapshots.dirOf(sync.uuid) }))
  } finally {
    for (const end of ENDS) await ends[end]?.close()
  }
}
