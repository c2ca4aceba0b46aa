import { defineTasks } from '../base/index.js'
import type { Sql } from '../sql/index.js'

/** A row of `libraries` in the instance database. */
export interface KnownLibrary {
  readonly path: string
  readonly library: string
  readonly name: string
  readonly kind: 'portable' | 'own'
  readonly index_id: string
  readonly session: string
  readonly reserved_seq: number
  readonly closed_seq: number
  readonly open: number
  readonly current: number
  readonly opened_at: number
}

/** Writes to the instance database about libraries. */
export const knownLibraries = defineTasks(import.meta.url, {
  remember(sql: Sql, row: KnownLibrary): void {
    // A library that was moved is known at its new place only.
    sql.prepare('DELETE FROM libraries WHERE library = ? AND path <> ? AND open = 0').run([row.library, row.path])
    sql
      .prepare(
        `INSERT INTO libraries (path, library, name, kind, index_id, session, reserved_seq, closed_seq, open, current, opened_at)
         VALUES (:path, :library, :name, :kind, :index_id, :session, :reserved_seq, :closed_seq, :open, :current, :opened_at)
         ON CONFLICT (path) DO UPDATE SET library = excluded.library, name = excluded.name, index_id = excluded.index_id,
           session = excluded.session, reserved_seq = max(reserved_seq, excluded.reserved_seq),
           closed_seq = excluded.closed_seq, open = excluded.open, current = excluded.current, opened_at = excluded.opened_at`
      )
      .run({ ...row })
  },

  /** No change bears a greater number than `upto`, from now on also after a power loss. */
  reserve(sql: Sql, { path, upto }: { path: string; upto: number }): void {
    sql.prepare('UPDATE libraries SET reserved_seq = max(reserved_seq, ?) WHERE path = ?').run([upto, path])
  },

  /** @param keepOpen - at the end of the program: it is opened again at the next start */
  closed(sql: Sql, { path, seq, keepOpen }: { path: string; seq: number; keepOpen: boolean }): void {
    sql.prepare('UPDATE libraries SET closed_seq = ? WHERE path = ?').run([seq, path])
    if (!keepOpen) sql.prepare('UPDATE libraries SET open = 0, current = 0 WHERE path = ?').run([path])
  },

  switchTo(sql: Sql, { path }: { path: string }): void {
    sql.prepare('UPDATE libraries SET current = (path = ?)').run([path])
  },

  reindexed(sql: Sql, { path, indexId }: { path: string; indexId: string }): void {
    sql.prepare('UPDATE libraries SET index_id = ? WHERE path = ?').run([indexId, path])
  },

  forget(sql: Sql, { path }: { path: string }): void {
    sql.prepare('DELETE FROM libraries WHERE path = ?').run([path])
  },

  /** The id of this data directory: there before any network identity is. Made once. */
  installation(sql: Sql, { fresh }: { fresh: string }): string {
    sql.prepare("INSERT OR IGNORE INTO meta VALUES ('installation', ?)").run([fresh])
    return sql.prepare<{ value: string }>("SELECT value FROM meta WHERE name = 'installation'").get()!.value
  }
})
