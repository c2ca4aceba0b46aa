/** What is counted while a run goes on: the batches, in archive and markers (SYNC.md 6), and what the guards' window holds (4). */
import type { AbortOptions, Clock } from '../../storage/base/index.js'
import type { Database } from '../../storage/sql/index.js'
import { ENDS, type End, type Operation, Tally, windowStartMs } from '../reconcile/index.js'
import { archiving, type RunCounts } from './archive.worker.js'
import { knownCounters } from './guard.js'
import type { SessionEnd } from './session-end.js'

export interface RunCountingInit extends AbortOptions {
  readonly db: Database
  readonly sync: { readonly id: number; readonly uuid: string }
  readonly run: string
  readonly beganAtMs: number
  /** Of the ends that this sync writes to. */
  readonly roots: Readonly<Partial<Record<End, Pick<SessionEnd, 'count'>>>>
}

/** Numbers the batches of a run: "n begins" in the archive, then at the ends, then the batch itself, then n is done. */
export class RunCounting {
  readonly #init: RunCountingInit
  readonly #tally = new Tally()
  readonly #known: Record<End, string | null>
  #batch: number
  #begun = false

  constructor(init: RunCountingInit) {
    this.#init = init
    const { batch, begun, roots } = knownCounters(init.db, init.sync.id)
    // A number that a crash left begun stands for that batch alone.
    this.#batch = Math.max(batch, begun)
    this.#known = { ...roots }
  }

  /** The number of the last batch that was begun. */
  get batch(): number {
    return this.#batch
  }

  /** Before a batch; `operations` are counted as done, whatever comes of them: the window rather holds too much. */
  async begin(operations: readonly Operation[]): Promise<void> {
    const { db, sync, run, beganAtMs, roots, signal } = this.#init
    // Times of folders, which follow on what was done in them, are no state that anybody would miss.
    if (this.#begun && operations.every(op => op.reason === 'directory-time')) return
    const marked = this.#begun ? this.#batch : undefined
    this.#begun = true
    for (const operation of operations) this.#tally.add({ row: 'operation', operation })
    const batch = this.#batch + 1
    await db.write(archiving.begin, { sync: sync.id, batch, marked, run, beganAt: beganAtMs, ...countsOf(this.#tally) })
    await Promise.all(
      ENDS.map(async end => {
        const marker = await roots[end]?.count(sync.uuid, batch, { ...(signal && { signal }) })
        if (marker === undefined || this.#known[end] === marker.root) return
        this.#known[end] = marker.root
        await db.write(archiving.rooted, { sync: sync.id, end, root: marker.root })
      })
    )
    this.#batch = batch
  }
}

/** What this sync did at each end since the window began. */
export function windowCounts(db: Database, sync: number, clock: Clock): RunCounts {
  const from = db.get<{ n: number | null }>('SELECT window_from AS n FROM syncs WHERE id = ?', [sync])?.n ?? 0
  const start = windowStartMs(clock.nowMs(), from, undefined)
  const row = db.get<Record<'sr' | 'sp' | 'dr' | 'dp', number>>(
    `SELECT total(source_removed) AS sr, total(source_replaced) AS sp, total(destination_removed) AS dr,
       total(destination_replaced) AS dp FROM sync_runs WHERE sync = ? AND began_at >= ? AND coalesce(ended_at, began_at) >= ?`,
    [sync, from, start]
  )
  return {
    removed: { source: row?.sr ?? 0, destination: row?.dr ?? 0 },
    replaced: { source: row?.sp ?? 0, destination: row?.dp ?? 0 }
  }
}

function countsOf(tally: Tally): RunCounts {
  const { source, destination } = tally.totals
  return {
    removed: { source: source.removed - source.repacked, destination: destination.removed - destination.repacked },
    replaced: { source: source.replaced, destination: destination.replaced }
  }
}
