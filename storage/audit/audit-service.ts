import { type AnyEvent, type Clock, type EventBus, hasCode, type JobId, type Logger } from '../base/index.js'
import type { JobManager } from '../jobs/index.js'
import type { Database, SqlValue } from '../sql/index.js'
import type { Audit, AuditBegin, AuditEnd, AuditFilter, AuditId, AuditOutcome, AuditRecord } from './audit.js'
import { auditWrites } from './audit.worker.js'
import { KEEP_MS, MAX_AUDIT_PAGE, MAX_AUDIT_PATHS, MAX_AUDIT_ROWS } from './limits.js'

export interface AuditComponents {
  readonly db: Database
  readonly jobs: Pick<JobManager, 'info'>
  readonly clock: Clock
  readonly events: EventBus
  readonly log: Logger
}

export const THIS_DEVICE = 'this device'

interface Row {
  readonly id: number
  readonly at: number
  readonly ended_at: number | null
  readonly command: string
  readonly origin: string
  readonly job: string | null
  readonly outcome: AuditOutcome
  readonly paths: string
  readonly path_count: number
  readonly files: number
  readonly bytes: number
  readonly problems: number
  readonly code: string | null
  readonly message: string | null
  readonly details: string | null
}

export class AuditService implements Audit {
  readonly #components: AuditComponents
  #off: () => void = () => {}
  #writing: Promise<unknown> = Promise.resolve()

  constructor(components: AuditComponents) {
    this.#components = components
  }

  /** Before the jobs start: what they were doing when the program ended is settled by how they stand. */
  async start(): Promise<void> {
    const { db, events, clock } = this.#components
    this.#off = events.onAny((event: AnyEvent) => this.#hear(event))
    for (const row of db.all<Row>("SELECT * FROM audit WHERE outcome = 'running'")) {
      if (row.job !== null) await this.#settleByJob(row.job as JobId)
      else await this.end(row.id as AuditId, { outcome: 'failed', error: INTERRUPTED })
    }
    await db.write(auditWrites.clean, { before: clock.nowMs() - KEEP_MS, keep: MAX_AUDIT_ROWS })
  }

  async stop(): Promise<void> {
    this.#off()
    await this.#writing
  }

  async begin({
    command,
    origin = THIS_DEVICE,
    paths,
    pathCount = paths.length,
    details
  }: AuditBegin): Promise<AuditId> {
    const { db, clock } = this.#components
    const row = {
      at: clock.nowMs(),
      command,
      origin,
      paths: JSON.stringify(paths.slice(0, MAX_AUDIT_PATHS)),
      pathCount,
      details: details === undefined ? null : JSON.stringify(details)
    }
    const id = (await db.write(auditWrites.begin, row)) as AuditId
    if (id % CLEAN_EVERY === 0) {
      await db.write(auditWrites.clean, { before: clock.nowMs() - KEEP_MS, keep: MAX_AUDIT_ROWS })
    }
    return id
  }

  async carriedOutBy(id: AuditId, job: JobId): Promise<void> {
    await this.#components.db.write(auditWrites.carriedOutBy, { id, job })
    await this.#settleByJob(job) // it may have ended already
  }

  async end(id: AuditId, { outcome, files = 0, bytes = 0, problems = 0, error }: AuditEnd): Promise<void> {
    const { db, clock } = this.#components
    const { code = null, message = null } = error ?? {}
    await db.write(auditWrites.end, { id, endedAt: clock.nowMs(), outcome, files, bytes, problems, code, message })
  }

  list({ tail = MAX_AUDIT_PAGE, sinceMs, command }: AuditFilter = {}): readonly AuditRecord[] {
    const parts = ['1']
    const params: SqlValue[] = []
    if (sinceMs !== undefined) {
      parts.push('at >= ?')
      params.push(sinceMs)
    }
    if (command !== undefined) {
      parts.push("(command = ? OR substr(command, 1, length(?) + 1) = ? || '.')")
      params.push(command, command, command)
    }
    params.push(Math.min(tail, MAX_AUDIT_PAGE))
    return this.#components.db
      .all<Row>(`SELECT * FROM audit WHERE ${parts.join(' AND ')} ORDER BY id DESC LIMIT ?`, params)
      .reverse()
      .map(recordOf)
  }

  #hear(event: AnyEvent): void {
    if (event.type === 'job:completed' || event.type === 'job:failed' || event.type === 'job:cancelled') {
      this.#later(() => this.#settleByJob(event.job as JobId))
    } else if (event.type === 'job:started') {
      this.#later(async () => {
        if (this.#idsOf(event.job as JobId).length > 0)
          await this.#components.db.write(auditWrites.runsAgain, event.job)
      })
    }
  }

  /** One after the other, as the events came. */
  #later(write: () => Promise<void>): void {
    this.#writing = this.#writing.then(write).catch((err: unknown) => {
      this.#components.log.warn('the audit log could not be written', { err })
    })
  }

  #idsOf(job: JobId): AuditId[] {
    return this.#components.db.all<{ id: AuditId }>('SELECT id FROM audit WHERE job = ?', [job]).map(r => r.id)
  }

  /** Takes over how the job ended; nothing while it has not. */
  async #settleByJob(job: JobId): Promise<void> {
    const ids = this.#idsOf(job)
    if (ids.length === 0) return
    const end = this.#endOf(job)
    if (end === undefined) return
    for (const id of ids) await this.end(id, end)
  }

  #endOf(job: JobId): AuditEnd | undefined {
    try {
      const { endedAt, state, progress, problems, error, output } = this.#components.jobs.info(job)
      if (endedAt === null) return undefined
      const told = (output ?? {}) as { files?: unknown; bytes?: unknown }
      return {
        outcome: OUTCOMES[state] ?? 'failed',
        files: typeof told.files === 'number' ? told.files : (progress?.doneFiles ?? 0),
        bytes: typeof told.bytes === 'number' ? told.bytes : (progress?.doneBytes ?? 0),
        problems,
        error: error ?? undefined
      }
    } catch (err) {
      if (hasCode(err, 'JOB_UNKNOWN')) return { outcome: 'failed', error: INTERRUPTED }
      throw err
    }
  }
}

const OUTCOMES: Readonly<Record<string, AuditEnd['outcome']>> = {
  completed: 'done',
  'completed-with-problems': 'problems',
  failed: 'failed',
  cancelled: 'cancelled'
}

const INTERRUPTED = { code: 'INTERRUPTED', message: 'the program ended before it was done' } as const
/** Rows between two cleanings of a program that never restarts. */
const CLEAN_EVERY = 1000

function recordOf(row: Row): AuditRecord {
  return {
    id: row.id as AuditId,
    atMs: row.at,
    endedAtMs: row.ended_at,
    command: row.command,
    origin: row.origin,
    job: row.job as JobId | null,
    outcome: row.outcome,
    paths: JSON.parse(row.paths) as string[],
    pathCount: row.path_count,
    files: row.files,
    bytes: row.bytes,
    problems: row.problems,
    error: row.code === null ? null : { code: row.code, message: row.message ?? '' },
    details: row.details === null ? null : (JSON.parse(row.details) as Record<string, unknown>)
  }
}
