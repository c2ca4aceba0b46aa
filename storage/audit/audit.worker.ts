import { defineTasks } from '../base/index.js'
import type { Sql } from '../sql/index.js'

export interface NewAuditRow {
  readonly at: number
  readonly command: string
  readonly origin: string
  readonly paths: string
  readonly pathCount: number
  readonly details: string | null
}

export interface AuditEndRow {
  readonly id: number
  readonly endedAt: number
  readonly outcome: string
  readonly files: number
  readonly bytes: number
  readonly problems: number
  readonly code: string | null
  readonly message: string | null
}

/** Writes to the audit log. */
export const auditWrites = defineTasks(import.meta.url, {
  begin(sql: Sql, row: NewAuditRow): number {
    const { lastInsertRowid } = sql
      .prepare(
        `INSERT INTO audit (at, command, origin, outcome, paths, path_count, details) VALUES (?, ?, ?, 'running', ?, ?, ?)`
      )
      .run([row.at, row.command, row.origin, row.paths, row.pathCount, row.details])
    return Number(lastInsertRowid)
  },

  carriedOutBy(sql: Sql, { id, job }: { id: number; job: string }): void {
    sql.prepare('UPDATE audit SET job = ? WHERE id = ?').run([job, id])
  },

  /** One that has ended stays as it is. */
  end(sql: Sql, row: AuditEndRow): void {
    sql
      .prepare(
        `UPDATE audit SET ended_at = ?, outcome = ?, files = ?, bytes = ?, problems = ?, code = ?, message = ?
         WHERE id = ? AND outcome = 'running'`
      )
      .run([row.endedAt, row.outcome, row.files, row.bytes, row.problems, row.code, row.message, row.id])
  },

  /** A job that failed was taken up again. */
  runsAgain(sql: Sql, job: string): void {
    sql
      .prepare("UPDATE audit SET ended_at = NULL, outcome = 'running', code = NULL, message = NULL WHERE job = ?")
      .run([job])
  },

  clean(sql: Sql, { before, keep }: { before: number; keep: number }): void {
    sql.prepare('DELETE FROM audit WHERE at < ?').run([before])
    sql.prepare('DELETE FROM audit WHERE id <= (SELECT max(id) FROM audit) - ?').run([keep])
  }
})
