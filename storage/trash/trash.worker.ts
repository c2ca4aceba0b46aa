import { defineTasks } from '../base/index.js'
import { type Sql, type SqlValue, withReader } from '../sql/index.js'

export interface NewBatch {
  readonly id: string
  /** As bytes; null for the bin in the data directory. */
  readonly bin: Uint8Array | null
  readonly volume: string | null
  readonly within: Uint8Array | null
  readonly deletedAt: number
  readonly command: string
  readonly job: string | null
  readonly items: readonly { n: number; path: Uint8Array; kind: string; size: number; files: number }[]
}

export type TrashState = 'kept' | 'leaving' | 'going'

export interface TrashRow {
  readonly id: number
  readonly batch: string
  readonly n: number
  readonly path: Uint8Array
  readonly kind: string
  readonly size: number
  readonly files: number
  readonly bin: Uint8Array | null
  readonly volume: string | null
  readonly within: Uint8Array | null
  readonly deleted_at: number
  readonly command: string
  readonly job: string | null
}

/** A filter as the database takes it. */
export interface RowFilter {
  readonly path?: Uint8Array | undefined
  readonly job?: string | undefined
  readonly ids?: readonly number[] | undefined
  readonly before?: number | undefined
  readonly uptoId?: number | undefined
  readonly bin?: Uint8Array | null | undefined
  readonly state?: TrashState
}

export interface ListInput {
  readonly databaseFile: string
  readonly filter: RowFilter
  readonly oldestFirst?: boolean
  readonly limit: number
  readonly offset: number
}

export interface ListOutput {
  readonly rows: readonly TrashRow[]
  readonly totals: { readonly items: number; readonly files: number; readonly bytes: number }
  readonly lastId: number
}

const SELECT = `SELECT t.id, t.batch, t.n, t.path, t.kind, t.size, t.files,
  b.bin, b.volume, b.within, b.deleted_at, b.command, b.job FROM trash t JOIN trash_batches b ON b.id = t.batch`

/** Writes to the tables of the trash in the instance database. */
export const trashWrites = defineTasks(import.meta.url, {
  /** @returns ids of the items, in their order; those that stand there already keep theirs */
  record(sql: Sql, batch: NewBatch): number[] {
    sql
      .prepare(
        `INSERT INTO trash_batches (id, bin, volume, within, deleted_at, command, job) VALUES (?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO NOTHING`
      )
      .run([batch.id, batch.bin, batch.volume, batch.within, batch.deletedAt, batch.command, batch.job])
    const insert = sql.prepare(
      `INSERT INTO trash (batch, n, path, kind, size, files) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (batch, n) DO NOTHING`
    )
    const find = sql.prepare<{ id: number }>('SELECT id FROM trash WHERE batch = ? AND n = ?')
    return batch.items.map(({ n, path, kind, size, files }) => {
      insert.run([batch.id, n, path, kind, size, files])
      return find.get([batch.id, n])!.id
    })
  },

  /** Takes rows for one purpose, so that nobody else does. @returns those that were to be had */
  claim(sql: Sql, { ids, from, to }: { ids: readonly number[]; from: TrashState; to: TrashState }): number[] {
    const update = sql.prepare('UPDATE trash SET state = ? WHERE id = ? AND state = ?')
    return ids.filter(id => update.run([to, id, from]).changes > 0)
  },

  forget(sql: Sql, ids: readonly number[]): void {
    const batchOf = sql.prepare<{ batch: string }>('DELETE FROM trash WHERE id = ? RETURNING batch')
    const batches = new Set(ids.flatMap(id => batchOf.get([id])?.batch ?? []))
    const drop = sql.prepare(
      'DELETE FROM trash_batches WHERE id = ? AND NOT EXISTS (SELECT 1 FROM trash WHERE batch = ?)'
    )
    for (const id of batches) drop.run([id, id])
  },

  /** After a start: rows of these batches of which the disk holds nothing go, the others are kept again. */
  settle(sql: Sql, { batch, present }: { batch: string; present: readonly number[] }): void {
    const here = new Set(present)
    const rows = sql
      .prepare<{ id: number; n: number; state: TrashState }>('SELECT id, n, state FROM trash WHERE batch = ?')
      .all([batch])
    const keep = sql.prepare("UPDATE trash SET state = 'kept' WHERE id = ?")
    for (const { id, n, state } of rows) if (here.has(n) && state !== 'kept') keep.run([id])
    trashWrites.forget(
      sql,
      rows.filter(r => !here.has(r.n)).map(r => r.id)
    )
  }
})

/** Reads, in a worker: a trash may hold a million rows. */
export const trashReads = defineTasks(import.meta.url, {
  list({ databaseFile, filter, oldestFirst = false, limit, offset }: ListInput): ListOutput {
    return withReader(databaseFile, sql => {
      const { where, params } = conditions(filter)
      const order = oldestFirst ? 'b.deleted_at, t.id' : 'b.deleted_at DESC, t.id DESC'
      const { lastId, ...totals } = sql
        .prepare<{ items: number; files: number; bytes: number; lastId: number }>(
          `SELECT count(*) AS items, coalesce(sum(t.files), 0) AS files, coalesce(sum(t.size), 0) AS bytes,
             coalesce(max(t.id), 0) AS lastId
           FROM trash t JOIN trash_batches b ON b.id = t.batch WHERE ${where}`
        )
        .get(params)!
      const rows = sql
        .prepare<TrashRow>(`${SELECT} WHERE ${where} ORDER BY ${order} LIMIT ? OFFSET ?`)
        .all([...params, limit, offset])
      return { rows, totals, lastId }
    })
  },

  /** Each bin there is, with what lies in it. */
  bins({ databaseFile }: { databaseFile: string }): Pick<TrashRow, 'bin' | 'volume' | 'within'>[] {
    return withReader(databaseFile, sql =>
      sql
        .prepare<Pick<TrashRow, 'bin' | 'volume' | 'within'>>('SELECT DISTINCT bin, volume, within FROM trash_batches')
        .all([])
    )
  },

  /** Batches of a bin of which nothing is under way: the disk need not be asked about them. */
  settled({ databaseFile, bin }: { databaseFile: string; bin: Uint8Array | null }): string[] {
    return withReader(databaseFile, sql =>
      sql
        .prepare<{ id: string }>(
          `SELECT id FROM trash_batches b WHERE b.bin IS ?
           AND NOT EXISTS (SELECT 1 FROM trash t WHERE t.batch = b.id AND t.state <> 'kept')`
        )
        .all([bin])
        .map(r => r.id)
    )
  },

  /** Batches of a bin with something under way. */
  unsettled({ databaseFile, bin }: { databaseFile: string; bin: Uint8Array | null }): string[] {
    return withReader(databaseFile, sql =>
      sql
        .prepare<{ id: string }>(
          `SELECT DISTINCT b.id FROM trash t JOIN trash_batches b ON b.id = t.batch
           WHERE t.state <> 'kept' AND b.bin IS ?`
        )
        .all([bin])
        .map(r => r.id)
    )
  }
})

function conditions(filter: RowFilter): { where: string; params: SqlValue[] } {
  const parts = ['t.state = ?']
  const params: SqlValue[] = [filter.state ?? 'kept']
  if (filter.path !== undefined) {
    // `/a` and what lies below it: from `/a/` up to, not including, `/a0` (the byte after the slash).
    parts.push('(t.path = ? OR (t.path >= ? AND t.path < ?))')
    const path = Buffer.from(filter.path)
    params.push(path, Buffer.concat([path, Buffer.from('/')]), Buffer.concat([path, Buffer.from('0')]))
  }
  if (filter.job !== undefined) {
    parts.push('b.job = ?')
    params.push(filter.job)
  }
  if (filter.ids !== undefined) {
    parts.push('t.id IN (SELECT value FROM json_each(?))')
    params.push(JSON.stringify(filter.ids))
  }
  if (filter.before !== undefined) {
    parts.push('b.deleted_at < ?')
    params.push(filter.before)
  }
  if (filter.uptoId !== undefined) {
    parts.push('t.id <= ?')
    params.push(filter.uptoId)
  }
  if (filter.bin !== undefined) {
    parts.push('b.bin IS ?')
    params.push(filter.bin)
  }
  return { where: parts.join(' AND '), params }
}
