import { defineTasks } from '../../storage/base/index.js'
import type { Sql } from '../../storage/sql/index.js'
import type { End } from '../reconcile/index.js'
import { type LeftEnd, leave } from './left.worker.js'
import type { Agreement } from './record.js'

export interface NewSync {
  readonly uuid: string
  readonly name: string
  readonly mode: string
  readonly policy: string
  readonly source: string
  readonly destination: string
  readonly options: string
  readonly addedAt: number
  readonly agreement: Agreement | null
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
  add(sql: Sql, { uuid, name, mode, policy, source, destination, options, addedAt, agreement }: NewSync): void {
    sql
      .prepare(
        `INSERT INTO syncs (uuid, name, mode, policy, source, destination, options, added_at, agreement)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`
      )
      .run([uuid, name, mode, policy, source, destination, options, addedAt, agreement])
  },

  /** What the other device has answered. @param far - where its end lies, once that is accepted */
  answered(
    sql: Sql,
    { id, agreement, far }: { id: number; agreement: Agreement; far?: { end: End; value: string } }
  ): void {
    sql.prepare('UPDATE syncs SET agreement = ? WHERE id = ?').run([agreement, id])
    if (far !== undefined)
      sql
        .prepare(`UPDATE syncs SET ${far.end === 'source' ? 'source' : 'destination'} = ? WHERE id = ?`)
        .run([far.value, id])
  },

  /** With its archive and its runs; files and versions stay. @param left - ends to be looked at later */
  remove(sql: Sql, { id, left, nowMs }: { id: number; left: readonly LeftEnd[]; nowMs: number }): void {
    leave(sql, left, nowMs)
    sql.prepare('DELETE FROM syncs WHERE id = ?').run([id])
  },

  /** @param because - where the program pauses it: what for, in words */
  pause(sql: Sql, { id, because }: { id: number; because: string | null }): void {
    sql.prepare('UPDATE syncs SET paused = 1, paused_because = ? WHERE id = ?').run([because, id])
  },

  resume(sql: Sql, { id }: { id: number }): void {
    sql.prepare('UPDATE syncs SET paused = 0, paused_because = NULL WHERE id = ?').run([id])
  },

  /** An end is known by other facts than before. */
  renew(sql: Sql, { id, end, value }: { id: number; end: End; value: string }): void {
    sql.prepare(`UPDATE syncs SET ${end === 'source' ? 'source' : 'destination'} = ? WHERE id = ?`).run([value, id])
  },

  /** Runs that a crash cut short: their rows end with it. */
  interrupted(sql: Sql, { at }: { at: number }): void {
    sql.prepare(`UPDATE sync_runs SET ended_at = ?, state = 'interrupted' WHERE ended_at IS NULL`).run([at])
  },

  /** What a run came to. `halted`: what a person may say yes to; null once a run went through; undefined: as it was. */
  ran(sql: Sql, { run, halted }: { run: RunRow; halted: string | null | undefined }): void {
    // Never by replacing the row: its changes would go with it.
    sql
      .prepare(
        `INSERT INTO sync_runs (id, sync, began_at, ended_at, state, result) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET ended_at = excluded.ended_at, state = excluded.state, result = excluded.result`
      )
      .run([run.id, run.sync, run.beganAt, run.endedAt, run.state, run.result])
    if (halted !== undefined) sql.prepare('UPDATE syncs SET halted = ? WHERE id = ?').run([halted, run.sync])
  }
})
