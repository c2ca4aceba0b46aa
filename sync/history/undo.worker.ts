/** Which changes of a run can be taken back at an end, in the work database: those whose paths are as the run left them. */
import { defineTasks, parentOf, type RelPath, ROOT } from '../../storage/base/index.js'
import type { Sql } from '../../storage/sql/index.js'
import { pathKey } from '../session/index.js'
import { Judgement, type Left } from './judgement.js'

export interface UndoLoad {
  readonly instanceFile: string
  readonly sync: number
  /** 0 source, 1 destination. */
  readonly end: number
  readonly runs: readonly string[]
}

export const undoing = defineTasks(import.meta.url, {
  /** Copies what the runs did at an end, in the order in which it was done. Outside of a transaction. @returns how much it is */
  load(sql: Sql, { instanceFile, sync, end, runs }: UndoLoad): number {
    sql.exec(
      `CREATE TABLE undo_rows (n INTEGER PRIMARY KEY, run TEXT NOT NULL, path BLOB NOT NULL, to_path BLOB, kind TEXT NOT NULL,
         before BLOB, after BLOB, done_at INTEGER NOT NULL) STRICT;
       CREATE TABLE undo_lines (n INTEGER PRIMARY KEY, value TEXT NOT NULL) STRICT;
       CREATE TABLE later (path BLOB PRIMARY KEY) STRICT, WITHOUT ROWID`
    )
    sql.prepare('ATTACH ? AS inst').run([instanceFile])
    try {
      const these = JSON.stringify(runs)
      // CROSS JOIN: in this order, since what these runs did may be little of all there is.
      sql
        .prepare(
          `INSERT INTO undo_rows (run, path, to_path, kind, before, after, done_at)
           SELECT c.run, c.path, c.to_path, c.kind, c.before, c.after, c.done_at
           FROM json_each(?) run CROSS JOIN inst.sync_runs r ON r.id = run.value CROSS JOIN inst.sync_changes c ON c.run = r.id
           WHERE c.sync = ? AND c.at = ? ORDER BY r.began_at, c.run, c.n`
        )
        .run([these, sync, end])
      sql
        .prepare(
          `INSERT OR IGNORE INTO later SELECT c.path FROM undo_rows u CROSS JOIN inst.sync_changes c ON c.path = u.path
           WHERE c.sync = ? AND c.at = ? AND c.done_at >= u.done_at AND c.run NOT IN (SELECT value FROM json_each(?))`
        )
        .run([sync, end, these])
    } finally {
      sql.exec('DETACH inst')
    }
    return sql.prepare<{ n: number }>('SELECT count(*) n FROM undo_rows').get()!.n
  },

  /** Lines that these runs wrote at this end, newest first. */
  addLines(sql: Sql, { texts }: { texts: readonly string[] }): void {
    const insert = sql.prepare('INSERT INTO undo_lines (value) VALUES (?)')
    for (const text of texts) insert.run([text])
  },

  /** Chooses the lines that are undone, and says what stays and why. */
  judge(sql: Sql, { limit }: { limit: number }): { left: Left[]; leftCount: number; rows: number } {
    return new Judgement(sql).run(limit)
  },

  /** Which of these nothing was decided to happen to. */
  foreign(sql: Sql, { paths }: { paths: readonly RelPath[] }): RelPath[] {
    const find = sql.prepare('SELECT 1 FROM affected WHERE path = ?')
    const known = (path: RelPath): boolean => {
      for (let at = path; ; at = parentOf(at)) {
        if (find.get([pathKey(at)]) !== undefined) return true
        if (at === ROOT) return false
      }
    }
    return paths.filter(path => !known(path))
  }
})
