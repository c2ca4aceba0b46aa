/** The writes of limits of rates, run in the writer thread of the instance database: each is one transaction. */
import { defineTasks } from '../../storage/base/index.js'
import type { Sql } from '../../storage/sql/index.js'
import type { RateRow } from './rates.js'

export const rateWrites = defineTasks(import.meta.url, {
  set(sql: Sql, { device, up, down, from_minute, to_minute }: RateRow): void {
    sql
      .prepare('INSERT OR REPLACE INTO rate_limits (device, up, down, from_minute, to_minute) VALUES (?, ?, ?, ?, ?)')
      .run([device, up, down, from_minute, to_minute])
  },
  remove(sql: Sql, { device }: { device: string }): void {
    sql.prepare('DELETE FROM rate_limits WHERE device = ?').run([device])
  }
})
