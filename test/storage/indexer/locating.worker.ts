import { defineTasks } from '../../../storage/base/index.js'
import type { Sql } from '../../../storage/sql/index.js'

/** Rows of `locations`, as storage/locations makes them. */
export const locating = defineTasks(import.meta.url, {
  add(sql: Sql, input: { host: number; path: Uint8Array; rules: string; versioned: boolean; name?: string }): number {
    const uuid = String(sql.prepare<{ n: number }>('SELECT coalesce(max(id), 0) + 1 AS n FROM locations').get()!.n)
    return Number(
      sql
        .prepare(
          `INSERT INTO locations (uuid, host, path, name, mode, watch, rules, versioned, activity, freshness, added_at, updated_at)
           VALUES (?, ?, ?, ?, 'shallow', 0, ?, ?, 'idle', 'unknown', 0, 0)`
        )
        .run([uuid, input.host, input.path, input.name ?? 'x', input.rules, input.versioned ? 1 : 0]).lastInsertRowid
    )
  },
  /** As when yesterday's database was put back. */
  newIndexId(sql: Sql, { index }: { index: string }): void {
    sql.prepare("UPDATE meta SET value = ? WHERE name = 'index'").run([index])
  },
  /** As when a sync begins to stand on it. */
  stoodOn(sql: Sql, { id }: { id: string }): void {
    sql.prepare('UPDATE locations SET versioned = 1 WHERE uuid = ?').run([id])
  },
  remove(sql: Sql, { number }: { number: number }): void {
    sql.prepare('DELETE FROM locations WHERE id = ?').run([number])
  }
})
