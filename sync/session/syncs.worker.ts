import { defineTasks } from '../../storage/base/index.js'
import type { Sql } from '../../storage/sql/index.js'

export interface NewSync {
  readonly uuid: string
  readonly name: string
  readonly mode: string
  readonly policy: string
  readonly source: string
  readonly destination: string
  readonly options: string
  readonly addedAt: number
}

export interface RunRow {
  readonly id: string
  readonly sync: number
  readonly beganAt: number
  readonly endedAt: number
  readonly state: string
  readonly result: string
}

export const syncWrites = defineTasks(import.meta.url, {
  add(sql: Sql, { uuid, name, mode, policy, source, destination, options, addedAt }: NewSync): void {
    sql
      .prepare(
        `INSERT INTO syncs (uuid, name, mode, policy, source, destination, options, added_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)`
      )
      .run([uuid, name, mode, policy, source, destination, options, addedAt])
  },

  /** With its archive and its runs; files and versions stay. */
  remove(sql: Sql, { id }: { id: number }): void {
    sql.prepare('DELETE FROM syncs WHERE id = ?').run([id])
  },

  /** What a run came to. `halted`: what a person may say yes to; null once a run went through. */
  ran(sql: Sql, { run, halted }: { run: RunRow; halted: string | null }): void {
    // Never by replacing the row: its changes would go with it.
    sql
      .prepare(
        `INSERT INTO sync_runs (id, sync, began_at, ended_at, state, result) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET began_at = excluded.began_at, ended_at = excluded.ended_at,
           state = excluded.state, result = excluded.result`
      )
      .run([run.id, run.sync, run.beganAt, run.endedAt, run.state, run.result])
    sql.prepare('UPDATE syncs SET halted = ? WHERE id = ?').run([halted, run.sync])
  }
})
