/** What runs did, path by path (SYNC.md 7): `why`, `undo` and the guard's window stand on it. Kept for thirty days and bounded. */
import { defineTasks } from '../../storage/base/index.js'
import { RowStatement, type Sql } from '../../storage/sql/index.js'
import { ENDS, type End } from '../reconcile/index.js'
import { type ChangeColumns, type ChangeKind, changeValues } from './change-columns.js'

/** How long the table of runs is kept (SYNC.md 7). */
export const KEEP_RUNS_MS = 30 * 24 * 3_600_000
/** Rows of one sync: some 150 MB. Beyond it the changes of the oldest runs go, never those of the newest. */
export const MAX_CHANGES = 1_000_000
/** Rows removed by one write: others wait for it no longer than some milliseconds. */
const TIDY_ROWS = 10_000

/** A run, what a person brought back, or what a person took back. */
export type RunKind = 'run' | 'restore' | 'undo'

export interface RunBegin {
  readonly run: string
  readonly sync: number
  readonly kind: RunKind
  readonly beganAtMs: number
}

export interface RunEnd {
  readonly run: string
  readonly endedAtMs: number
  readonly state: string
  /** As JSON. */
  readonly result: string
}

/** What a batch is about to do. */
export interface Intent {
  readonly run: string
  /** Of the first of its changes. */
  readonly n: number
  readonly end: End
  readonly beganAtMs: number
  /** As JSON. */
  readonly changes: string
}

interface Recorded {
  readonly run: string
  readonly sync: number
  readonly doneAtMs: number
  readonly changes: ChangeColumns
  readonly intent?: number | undefined
}

const PUT = new RowStatement(10, rows => `INSERT OR REPLACE INTO sync_change_rows VALUES ${rows}`)

export const changing = defineTasks(import.meta.url, {
  /** Before the first row of a run. Until it ends its state is NULL: after a crash it stays so. One that was cut short goes on. */
  begin(sql: Sql, { run, sync, kind, beganAtMs }: RunBegin): void {
    sql
      .prepare(
        `INSERT INTO sync_runs (id, sync, began_at, kind) VALUES (?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET ended_at = NULL, state = NULL, result = NULL`
      )
      .run([run, sync, beganAtMs, kind])
  },

  /** A batch is about to be done: durable before it begins. */
  intend(sql: Sql, { run, n, end, beganAtMs, changes }: Intent): void {
    sql.prepare('INSERT INTO sync_intents VALUES (?, ?, ?, ?, ?)').run([run, n, ENDS.indexOf(end), beganAtMs, changes])
  },

  /** @param intent - of the batch that this was: it is known now what came of it */
  record(sql: Sql, { run, sync, doneAtMs, changes, intent }: Recorded): void {
    if (intent !== undefined) sql.prepare('DELETE FROM sync_intents WHERE run = ? AND n = ?').run([run, intent])
    const { number } = sql.prepare<{ number: number }>('SELECT number FROM sync_runs WHERE id = ?').get([run])!
    PUT.run(sql, changeValues(changes, { run: number, sync, doneAtMs, kindNumber: kindNumbers(sql) }))
  },

  /** How a restore or an undo ended. */
  end(sql: Sql, { run, endedAtMs, state, result }: RunEnd): void {
    sql
      .prepare('UPDATE sync_runs SET ended_at = ?, state = ?, result = ? WHERE id = ?')
      .run([endedAtMs, state, result, run])
    // What a person brought back is a word of his: the guards' window begins anew, or what came back would count as gone.
    sql
      .prepare('UPDATE syncs SET window_from = ? WHERE id = (SELECT sync FROM sync_runs WHERE id = ?)')
      .run([endedAtMs + 1, run])
  },

  /** Removes some of what is too old or too much. @returns whether there is more to remove */
  tidy(sql: Sql, { sync, nowMs, max }: { sync: number; nowMs: number; max: number }): boolean {
    const before = nowMs - KEEP_RUNS_MS
    // What a run did is no older than its beginning.
    const old = sql
      .prepare(
        `DELETE FROM sync_change_rows WHERE (run, n) IN (SELECT c.run, c.n FROM sync_runs r JOIN sync_change_rows c ON c.run = r.number
         WHERE r.sync = ? AND r.began_at < ? AND c.done_at < ? LIMIT ?)`
      )
      .run([sync, before, before, TIDY_ROWS]).changes
    if (old === TIDY_ROWS) return true
    sql
      .prepare(
        `DELETE FROM sync_runs WHERE sync = ? AND began_at < ?
         AND NOT EXISTS (SELECT 1 FROM sync_change_rows c WHERE c.run = sync_runs.number)`
      )
      .run([sync, before])
    const count = sql.prepare<{ n: number }>('SELECT count(*) n FROM sync_change_rows WHERE sync = ?').get([sync])!.n
    if (count <= max) return false
    const runs = sql.prepare<{ number: number }>(
      `SELECT number FROM sync_runs r WHERE sync = ? AND EXISTS (SELECT 1 FROM sync_change_rows c WHERE c.run = r.number)
       ORDER BY began_at, id LIMIT 2`
    )
    const [oldest, next] = runs.all([sync])
    if (oldest === undefined || next === undefined) return false
    sql
      .prepare(
        'DELETE FROM sync_change_rows WHERE (run, n) IN (SELECT run, n FROM sync_change_rows WHERE run = ? LIMIT ?)'
      )
      .run([oldest.number, TIDY_ROWS])
    return true
  }
})

/** Numbers of what was done and why, given when it is met for the first time. */
function kindNumbers(sql: Sql): (kind: ChangeKind, reason: string) => number {
  const known = new Map<string, number>()
  const find = sql.prepare<{ number: number }>('SELECT number FROM sync_change_kinds WHERE kind = ? AND reason = ?')
  const add = sql.prepare<{ number: number }>(
    'INSERT INTO sync_change_kinds (kind, reason) VALUES (?, ?) RETURNING number'
  )
  return (kind, reason) => {
    const name = `${kind} ${reason}`
    let number = known.get(name)
    if (number === undefined) {
      ;({ number } = find.get([kind, reason]) ?? add.get([kind, reason])!)
      known.set(name, number)
    }
    return number
  }
}
