import { defineTasks } from '../../storage/base/index.js'
import type { Sql } from '../../storage/sql/index.js'

export const locating = defineTasks(import.meta.url, {
  add(sql: Sql, { host, path, rules, mode }: { host: number; path: Uint8Array; rules: string; mode: string }): number {
    const insert = sql.prepare(
      `INSERT INTO locations (uuid, host, path, name, mode, watch, rules, activity, freshness, added_at, updated_at)
       VALUES (hex(randomblob(8)), ?, ?, 'bench', ?, 0, ?, 'idle', 'unknown', 0, 0)`
    )
    return Number(insert.run([host, path, mode, rules]).lastInsertRowid)
  }
})
