import { defineTasks, type Problem } from '../base/index.js'
import type { Sql, SqlValue } from '../sql/index.js'
import type { JobState, LogLine } from './job.js'
import { MAX_LOG_LINES, MAX_STORED_PROBLEMS } from './limits.js'

export interface NewJobRow {
  readonly id: string
  readonly kind: string
  readonly title: string
  readonly priority: number
  readonly parent: string | null
  readonly child_key: string | null
  readonly depth: number
  readonly serial: string | null
  readonly input: Uint8Array
  readonly state_version: number
  readonly created_at: number
}

const CHANGEABLE = [
  'state',
  'child_key',
  'state_version',
  'checkpoint',
  'phase_start',
  'phase',
  'entered',
  'progress',
  'history',
  'output',
  'error',
  'problems',
  'paused_by',
  'paused_because',
  'crashes',
  'crashed',
  'started_at',
  'ended_at'
] as const

export type JobChanges = { readonly [K in (typeof CHANGEABLE)[number]]?: SqlValue }

export interface SaveInput {
  readonly id: string
  readonly changes: JobChanges
  /** Only if the job is in one of these states; nothing of it happens otherwise. */
  readonly onlyIn?: readonly JobState[]
  readonly log?: readonly LogLine[]
  readonly problems?: readonly Problem[]
}

/** Writes to the job tables of the instance database. */
export const jobWrites = defineTasks(import.meta.url, {
  /** @returns false when the parent already has a child of that key */
  insertJob(sql: Sql, job: NewJobRow): boolean {
    const { changes } = sql
      .prepare(
        `INSERT INTO jobs (id, kind, title, state, priority, parent, child_key, depth, serial, input, state_version, created_at)
         VALUES (:id, :kind, :title, 'queued', :priority, :parent, :child_key, :depth, :serial, :input, :state_version, :created_at)
         ON CONFLICT (parent, child_key) DO NOTHING`
      )
      .run({ ...job })
    return changes === 1
  },

  /** A checkpoint or a change of state: everything in it becomes durable together. @returns false when `onlyIn` forbade it */
  saveJob(sql: Sql, { id, changes, onlyIn, log = [], problems = [] }: SaveInput): boolean {
    if (onlyIn !== undefined) {
      const row = sql.prepare<{ state: JobState }>('SELECT state FROM jobs WHERE id = ?').get([id])
      if (row === undefined || !onlyIn.includes(row.state)) return false
    }
    const columns = CHANGEABLE.filter(c => changes[c] !== undefined)
    if (columns.length > 0) {
      const set = columns.map(c => `${c} = ?`).join(', ')
      const values = columns.map(c => changes[c] as SqlValue)
      sql.prepare(`UPDATE jobs SET ${set} WHERE id = ?`).run([...values, id])
    }
    if (log.length > 0) {
      const insert = sql.prepare('INSERT INTO job_log (job, at, level, phase, message) VALUES (?, ?, ?, ?, ?)')
      for (const line of log) insert.run([id, line.at, line.level, line.phase, line.message])
      sql
        .prepare(
          `DELETE FROM job_log WHERE job = :id AND n <=
             (SELECT n FROM job_log WHERE job = :id ORDER BY n DESC LIMIT 1 OFFSET ${MAX_LOG_LINES})`
        )
        .run({ id })
    }
    if (problems.length > 0) {
      const { stored } = sql
        .prepare<{ stored: number }>('SELECT count(*) AS stored FROM job_problems WHERE job = ?')
        .get([id])!
      const insert = sql.prepare('INSERT INTO job_problems (job, path, code, message) VALUES (?, ?, ?, ?)')
      for (const p of problems.slice(0, Math.max(0, MAX_STORED_PROBLEMS - stored))) {
        insert.run([id, p.path, p.code, p.message])
      }
    }
    return true
  },

  /**
   * After the end of the process: what ran goes back into the queue, and is counted, so that a job that ends the process
   * each time does not do so for ever. @returns how many are paused for it
   */
  recoverJobs(sql: Sql, { maxCrashes, because }: { maxCrashes: number; because: string }): number {
    sql.prepare("UPDATE jobs SET crashes = crashes + 1, crashed = 1 WHERE state = 'running'").run()
    const { changes } = sql
      .prepare(
        `UPDATE jobs SET state = 'paused', paused_by = 'program', paused_because = ?
         WHERE state = 'running' AND crashes >= ?`
      )
      .run([because, maxCrashes])
    sql.prepare("UPDATE jobs SET state = 'queued' WHERE state = 'running'").run()
    return changes
  },

  /** Removes ended jobs (of no parent, with their children) that are too old or too many. */
  pruneJobs(sql: Sql, { before, keep }: { before: number; keep: number }): number {
    const { changes } = sql
      .prepare(
        `DELETE FROM jobs WHERE parent IS NULL AND ended_at IS NOT NULL AND (ended_at < :before OR id IN
           (SELECT id FROM jobs WHERE parent IS NULL AND ended_at IS NOT NULL ORDER BY ended_at DESC LIMIT -1 OFFSET :keep))`
      )
      .run({ before, keep })
    return changes
  }
})
