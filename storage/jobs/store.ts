import { type JobId, type PlainError, type Problem, type ProgressFields, SpacedriveError } from '../base/index.js'
import type { Database } from '../sql/index.js'
import {
  type JobFilter,
  type JobInfo,
  type JobState,
  type JobSummary,
  type Json,
  type LogLine,
  PRIORITIES
} from './job.js'
import { MAX_LOG_LINES, MAX_STORED_PROBLEMS } from './limits.js'
import type { PhaseExecution } from './phase.js'
import type { Counts } from './progress.js'

/** A row of `jobs` without the blobs. */
export interface JobRow {
  id: JobId
  kind: string
  title: string
  state: JobState
  priority: number
  parent: JobId | null
  child_key: string | null
  depth: number
  serial: string | null
  state_version: number
  phase: string | null
  entered: number
  progress: string | null
  history: string
  output: string | null
  error: string | null
  problems: number
  paused_by: 'person' | 'parent' | 'program' | null
  paused_because: string | null
  crashes: number
  crashed: number
  created_at: number
  started_at: number | null
  ended_at: number | null
}

export interface JobBlobs {
  input: Uint8Array
  checkpoint: Uint8Array | null
  phase_start: Uint8Array | null
}

/** What the column `progress` holds: the figures to show, and those to go on from. */
export interface StoredProgress {
  shown: ProgressFields
  own: Counts
}

export const LIVE: readonly JobState[] = ['running', 'queued', 'paused']

const COLUMNS = `id, kind, title, state, priority, parent, child_key, depth, serial, state_version, phase, entered, progress, history,
  output, error, problems, paused_by, paused_because, crashes, crashed, created_at, started_at, ended_at`
const DEFAULT_LIST = 100
/** One answer to `job list`; it is read on the event loop. */
const MAX_LIST = 1_000

/** Point reads of the job tables. */
export class JobStore {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  find(id: JobId): JobRow | undefined {
    return this.#db.get<JobRow>(`SELECT ${COLUMNS} FROM jobs WHERE id = ?`, [id])
  }

  /** @throws {SpacedriveError} JOB_UNKNOWN */
  read(id: JobId): JobRow {
    const row = this.find(id)
    if (row === undefined) throw unknownJob(id)
    return row
  }

  blobs(id: JobId): JobBlobs {
    return this.#db.get<never>('SELECT input, checkpoint, phase_start FROM jobs WHERE id = ?', [id])!
  }

  inState(state: JobState): JobRow[] {
    return this.#db.all<JobRow>(`SELECT ${COLUMNS} FROM jobs WHERE state = ? ORDER BY priority, created_at, id`, [
      state
    ])
  }

  children(parent: JobId): JobRow[] {
    return this.#db.all<JobRow>(`SELECT ${COLUMNS} FROM jobs WHERE parent = ? ORDER BY created_at, id`, [parent])
  }

  child(parent: JobId, key: string): JobRow | undefined {
    return this.#db.get<JobRow>(`SELECT ${COLUMNS} FROM jobs WHERE parent = ? AND child_key = ?`, [parent, key])
  }

  list({ states = [], serial, limit = DEFAULT_LIST }: JobFilter): JobRow[] {
    const conditions = [
      ...(states.length === 0 ? [] : [`state IN (${states.map(() => '?').join(', ')})`]),
      ...(serial === undefined ? [] : ['serial = ?'])
    ]
    return this.#db.all<JobRow>(
      `SELECT ${COLUMNS} FROM jobs ${conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`}
       ORDER BY CASE state WHEN 'running' THEN 0 WHEN 'queued' THEN 1 WHEN 'paused' THEN 2 ELSE 3 END, created_at DESC, id DESC
       LIMIT ?`,
      [...states, ...(serial === undefined ? [] : [serial]), Math.min(MAX_LIST, limit)]
    )
  }

  /**
   * By the beginning or the end of an id: an id begins with the time, so jobs of one minute begin alike.
   * @throws {SpacedriveError} JOB_UNKNOWN, JOB_AMBIGUOUS
   */
  resolve(part: string): JobId {
    if (!/^[0-9a-f-]{4,36}$/.test(part)) throw unknownJob(part)
    const found = this.#db.all<{ id: JobId }>('SELECT id FROM jobs WHERE id LIKE ? OR id LIKE ? LIMIT 2', [
      `${part}%`,
      `%${part}`
    ])
    if (found.length === 0) throw unknownJob(part)
    if (found.length > 1) {
      throw new SpacedriveError('JOB_AMBIGUOUS', `several jobs have an id that begins or ends with ${part}`, {
        hint: 'Give more letters of the id; `job list` shows them.'
      })
    }
    return found[0]!.id
  }

  info(row: JobRow): Omit<JobInfo, keyof JobSummary | 'children'> {
    return {
      output: row.output === null ? undefined : (JSON.parse(row.output) as Json),
      history: JSON.parse(row.history) as PhaseExecution[],
      log: this.#db.all<LogLine & Record<string, never>>(
        `SELECT at, level, phase, message FROM job_log WHERE job = ? ORDER BY n LIMIT ${MAX_LOG_LINES}`,
        [row.id]
      ),
      problemList: this.#db.all<Problem & Record<string, never>>(
        `SELECT path, code, message FROM job_problems WHERE job = ? ORDER BY n LIMIT ${MAX_STORED_PROBLEMS}`,
        [row.id]
      )
    }
  }
}

export function summaryOf(row: JobRow): JobSummary {
  return {
    id: row.id,
    kind: row.kind,
    title: row.title,
    state: row.state,
    priority: PRIORITIES[row.priority]!,
    parent: row.parent,
    phase: row.phase,
    progress: row.progress === null ? null : (JSON.parse(row.progress) as StoredProgress).shown,
    problems: row.problems,
    error: row.error === null ? null : (JSON.parse(row.error) as PlainError),
    pausedBy: row.paused_by,
    pausedBecause: row.paused_because,
    createdAt: row.created_at,
    startedAt: row.started_at,
    endedAt: row.ended_at
  }
}

/** The end of an id, which is random; its beginning is the time. */
export function shortJobId(id: JobId): string {
  return id.slice(-8)
}

export function unknownJob(id: string): SpacedriveError {
  return new SpacedriveError('JOB_UNKNOWN', `there is no job ${id}`, {
    hint: '`job list` shows the jobs and their ids.'
  })
}
