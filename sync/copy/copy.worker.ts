/** The writes of copies, run in the writer thread of the instance database: each is one transaction. */
import { defineTasks, type JobId } from '../../storage/base/index.js'
import type { Sql } from '../../storage/sql/index.js'

export interface ConflictRow {
  readonly tree: number
  readonly path: Uint8Array
  readonly source: Uint8Array
  readonly source_bytes: number
  readonly source_mtime_ns: bigint
  readonly target_bytes: number
  readonly target_mtime_ns: bigint
}

export type Answer = 'skip' | 'replace' | 'skip-newer'

export const copyWrites = defineTasks(import.meta.url, {
  /** Remembers what is to be asked; one that is known keeps its answer. */
  addConflicts(sql: Sql, { job, rows }: { job: JobId; rows: readonly ConflictRow[] }): void {
    const insert = sql.prepare(
      `INSERT INTO copy_conflicts (job, tree, path, source, source_bytes, source_mtime_ns, target_bytes, target_mtime_ns)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET source_bytes = excluded.source_bytes, source_mtime_ns = excluded.source_mtime_ns,
         target_bytes = excluded.target_bytes, target_mtime_ns = excluded.target_mtime_ns`
    )
    for (const r of rows) {
      insert.run([job, r.tree, r.path, r.source, r.source_bytes, r.source_mtime_ns, r.target_bytes, r.target_mtime_ns])
    }
  },

  /** Answers these, or all that have no answer yet. @returns how many */
  answer(sql: Sql, { job, paths, answer }: { job: JobId; paths?: readonly Uint8Array[]; answer: Answer }): number {
    if (paths === undefined) {
      return Number(
        sql.prepare('UPDATE copy_conflicts SET answer = ? WHERE job = ? AND answer IS NULL').run([answer, job]).changes
      )
    }
    const one = sql.prepare('UPDATE copy_conflicts SET answer = ? WHERE job = ? AND path = ?')
    return paths.reduce((n, path) => n + Number(one.run([answer, job, path]).changes), 0)
  },

  settled(sql: Sql, { job, paths }: { job: JobId; paths: readonly Uint8Array[] }): void {
    const remove = sql.prepare('DELETE FROM copy_conflicts WHERE job = ? AND path = ?')
    for (const path of paths) remove.run([job, path])
  }
})
