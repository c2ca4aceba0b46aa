import { defineTasks } from '../../storage/base/index.js'
import type { Sql } from '../../storage/sql/index.js'

export interface Burn {
  readonly sessionId: Uint8Array
  readonly reason: 'used' | 'failed'
  readonly nowMs: number
  readonly keepUntilMs: number
}

/** Writes of the table pairing_burned; the ones that are over go with each write. */
export const burnedWrites = defineTasks(import.meta.url, {
  burn(sql: Sql, { sessionId, reason, nowMs, keepUntilMs }: Burn): void {
    sql.prepare('DELETE FROM pairing_burned WHERE keep_until < ?').run([nowMs])
    sql
      .prepare('INSERT INTO pairing_burned VALUES (?, ?, ?, ?) ON CONFLICT (session_id) DO NOTHING')
      .run([sessionId, reason, nowMs, keepUntilMs])
  }
})
