import { defineTasks } from '../../../storage/base/index.js'
import { dropDeleted, getMeta, setMeta } from '../../../storage/entries/index.js'
import type { Sql } from '../../../storage/sql/index.js'

/** Entries that are gone, as the indexer leaves them, without the files. */
export const burying = defineTasks(import.meta.url, {
  bury(
    sql: Sql,
    { count, deletedAt, namesSeen = true }: { count: number; deletedAt: number; namesSeen?: boolean }
  ): void {
    const seq = Number(getMeta(sql, 'buried') ?? 0)
    setMeta(sql, 'buried', String(seq + count))
    const insert = sql.prepare('INSERT INTO deleted VALUES (?, 1, ?, 0, 0, 0, 0, 0, ?, 0, ?, ?, NULL, ?)')
    const content = sql.prepare('INSERT INTO contents (hash, size, type, made_at) VALUES (?, 1, 0, 0)')
    for (let i = 1; i <= count; i++) {
      const n = seq + i
      const id = Number(content.run([Buffer.from(String(n).padStart(32))]).lastInsertRowid)
      insert.run([1_000_000 + n, Buffer.from(`f${n}`), n, id, n, deletedAt])
    }
    if (namesSeen) setMeta(sql, 'names_gone_seq', String(seq + count))
  },
  drop(sql: Sql, input: { nowMs: number; limit: number; maxKept: number }): number {
    return dropDeleted(sql, input)
  },
  counts(sql: Sql): { deleted: number; contents: number } {
    const n = (table: string): number => sql.prepare<{ n: number }>(`SELECT count(*) AS n FROM ${table}`).get()!.n
    return { deleted: n('deleted'), contents: n('contents') }
  }
})
