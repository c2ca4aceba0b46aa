import { type AbortOptions, type Problem, pathBytes, textFromBytes, type WorkerPool } from '../base/index.js'
import type { Database } from '../sql/index.js'
import type { BinPlace } from './bins.js'
import type { TrashFilter } from './trash.js'
import { type ListOutput, type RowFilter, type TrashRow, trashReads, trashWrites } from './trash.worker.js'

/** The rows of the trash, and which of them this process has something under way with. */
export class TrashRows {
  readonly #db: Database
  readonly #pool: WorkerPool
  /** Batches that something is under way with: what settles after a crash leaves them alone. */
  readonly busy = new Set<string>()

  constructor({ db, pool }: { db: Database; pool: WorkerPool }) {
    this.#db = db
    this.#pool = pool
  }

  read(
    filter: RowFilter,
    { signal, ...page }: { limit: number; offset: number; oldestFirst?: boolean } & AbortOptions
  ): Promise<ListOutput> {
    return this.#pool.run(trashReads.list, { databaseFile: this.#db.file, filter, ...page }, { signal })
  }

  /** Those that were still to be had are the caller's until `release` or `forget`. */
  async claim(rows: readonly TrashRow[], to: 'leaving' | 'going'): Promise<TrashRow[]> {
    for (const { batch } of rows) this.busy.add(batch)
    const ids = new Set(await this.#db.write(trashWrites.claim, { ids: rows.map(r => r.id), from: 'kept', to }))
    return rows.filter(row => ids.has(row.id))
  }

  /** They are kept again. */
  async release(rows: readonly TrashRow[], from: 'leaving' | 'going'): Promise<void> {
    if (rows.length > 0) await this.#db.write(trashWrites.claim, { ids: rows.map(r => r.id), from, to: 'kept' })
  }

  async forget(rows: readonly TrashRow[]): Promise<void> {
    if (rows.length === 0) return
    await this.#db.write(
      trashWrites.forget,
      rows.map(r => r.id)
    )
  }

  done(rows: readonly TrashRow[]): void {
    for (const { batch } of rows) this.busy.delete(batch)
  }
}

export function rowFilter({ path, job, ids, beforeMs, uptoId }: TrashFilter): RowFilter {
  return { path: path === undefined ? undefined : pathBytes(path), job, ids, before: beforeMs, uptoId }
}

/** Tells one bin from another. */
export const placeKey = ({ bin, volume }: BinPlace): string =>
  `${volume ?? ''} ${bin === null ? '' : Buffer.from(bin).toString('latin1')}`

export const away = (row: TrashRow): Problem => ({
  path: textFromBytes(row.path),
  code: 'VOLUME_AWAY',
  message: 'the volume that it lies on is not connected'
})
