import { z } from 'zod'
import {
  type AbortOptions,
  type Clock,
  deadline,
  type EventBus,
  type JobId,
  type Logger,
  type Random,
  raceSignal,
  SpacedriveError
} from '../base/index.js'
import type { Database } from '../sql/index.js'
import { wrongState } from './definition.js'
import type { DispatchOptions, JobDefinition, JobFilter, JobInfo, JobOutcome, JobSummary, Json } from './job.js'
import { JobQueue } from './job-queue.js'
import { jobWrites } from './jobs.worker.js'
import { MAX_CRASHES, MAX_LOG_LINES, MAX_STORED_PROBLEMS, STOP_DEADLINE_MS } from './limits.js'
import type { JobHandle, JobManager, PauseOptions } from './manager.js'
import { PAUSED_BY_PERSON } from './run.js'
import { type JobRow, summaryOf } from './store.js'

export interface JobManagerInit {
  readonly db: Database
  readonly clock: Clock
  readonly random: Random
  readonly events: EventBus
  readonly log: Logger
  /** Jobs at work at once; MAX_RUNNING unless said otherwise. */
  readonly maxRunning?: number
}

export class JobService implements JobManager {
  readonly #init: JobManagerInit
  readonly #queue: JobQueue

  constructor(init: JobManagerInit) {
    this.#init = init
    this.#queue = new JobQueue(init)
  }

  register<I, S, O>(definition: JobDefinition<I, S, O>): void {
    if (this.#queue.definitions.has(definition.kind))
      throw new TypeError(`the job ${definition.kind} is registered twice`)
    this.#queue.definitions.set(definition.kind, definition)
  }

  kinds(): { kind: string; summary: string; schema: unknown }[] {
    return [...this.#queue.definitions.values()].map(({ kind, summary, input }) => ({
      kind,
      summary,
      schema: z.toJSONSchema(input, { unrepresentable: 'any', io: 'input' })
    }))
  }

  async start(): Promise<void> {
    const { db } = this.#init
    const because = `the program ended ${MAX_CRASHES} times while it was at work; \`job resume\` tries again`
    const given = await db.write(jobWrites.recoverJobs, { maxCrashes: MAX_CRASHES, because })
    if (given > 0) this.#init.log.warn('jobs wait for a person', { jobs: given, because })
    await this.#queue.prune()
    this.#queue.open = true
    for (const row of this.#queue.store.inState('queued')) await this.#queue.launchStored(row)
  }

  async stop(): Promise<void> {
    this.#queue.open = false
    const active = [...this.#queue.active.values()]
    for (const job of active) job.interrupt('stopping')
    const { signal, clear } = deadline(STOP_DEADLINE_MS, 'stopping the jobs')
    await raceSignal(Promise.all(active.map(j => j.rest)), signal).catch(() => {})
    clear()
    if (this.#queue.active.size > 0) {
      this.#init.log.warn('jobs did not stop in time and resume from their last checkpoint', {
        jobs: [...this.#queue.active.keys()]
      })
    }
    this.#queue.outcomes.stop()
  }

  async dispatch<I, S, O>(
    definition: JobDefinition<I, S, O>,
    input: I,
    options: DispatchOptions = {}
  ): Promise<JobHandle<O>> {
    const row = await this.#queue.insert(definition, input, options, undefined)
    return this.#handle(row!.id) as JobHandle<O>
  }

  async dispatchByName(kind: string, input: unknown, options: DispatchOptions = {}): Promise<JobHandle<Json>> {
    const definition = this.#queue.definitions.get(kind)
    if (definition === undefined) {
      throw new SpacedriveError('JOB_KIND_UNKNOWN', `there is no kind of job ${kind}`, {
        hint: `Known kinds: ${[...this.#queue.definitions.keys()].join(', ')}.`
      })
    }
    return this.#handle((await this.#queue.insert(definition, input, options, undefined))!.id) as JobHandle<Json>
  }

  async outcome(id: JobId, { signal }: AbortOptions = {}): Promise<JobOutcome> {
    return this.#queue.outcomes.of(this.#queue.store.read(id), signal)
  }

  list(filter: JobFilter = {}): JobSummary[] {
    return this.#queue.store.list(filter).map(row => this.#summary(row))
  }

  summary(id: JobId): JobSummary {
    return this.#summary(this.#queue.store.read(id))
  }

  info(id: JobId): JobInfo {
    const row = this.#queue.store.read(id)
    const children = this.#queue.store.children(id).map(r => this.#summary(r))
    const stored = this.#queue.store.info(row)
    const unsaved = this.#queue.active.get(id)?.run?.unsaved
    const log = [...stored.log, ...(unsaved?.log ?? [])].slice(-MAX_LOG_LINES)
    const problemList = [...stored.problemList, ...(unsaved?.problems ?? [])].slice(0, MAX_STORED_PROBLEMS)
    return { ...this.#summary(row), ...stored, log, problemList, children }
  }

  resolve(prefix: string): JobId {
    return this.#queue.store.resolve(prefix)
  }

  async pause(id: JobId, { because }: PauseOptions = {}): Promise<void> {
    const row = this.#queue.store.read(id)
    if (!this.#queue.active.has(id)) throw wrongState(row, 'paused')
    const person = { by: 'person', because: PAUSED_BY_PERSON } as const
    await this.#queue.pause(id, because === undefined ? person : { by: 'program', because })
    const after = this.#queue.store.read(id)
    if (after.state !== 'paused') throw wrongState(after, 'paused')
  }

  async resume(id: JobId): Promise<void> {
    const row = this.#queue.store.read(id)
    if ((row.state !== 'paused' && row.state !== 'failed') || this.#queue.active.has(id))
      throw wrongState(row, 'resumed')
    if (!this.#queue.definitions.has(row.kind)) throw wrongState(row, 'resumed')
    const children = this.#queue.store.children(id)
    const changes = { state: 'queued', crashes: 0, error: null, ended_at: null, paused_by: null, paused_because: null }
    const log = [{ at: this.#init.clock.nowMs(), level: 'info', phase: null, message: 'resumed' } as const]
    const onlyIn = ['paused', 'failed'] as const
    if (!(await this.#init.db.write(jobWrites.saveJob, { id, changes, log, onlyIn }))) {
      throw wrongState(this.#queue.store.read(id), 'resumed')
    }
    for (const child of children) {
      // What was cancelled along with a failed parent is begun anew by it; what failed or was paused with it goes on.
      if (row.state === 'failed' && child.state === 'cancelled') {
        await this.#init.db.write(jobWrites.saveJob, { id: child.id, changes: { child_key: null } })
      }
      if (child.paused_by === 'parent' || (row.state === 'failed' && child.state === 'failed'))
        await this.resume(child.id)
    }
    await this.#queue.launchStored(this.#queue.store.read(id))
  }

  async cancel(id: JobId): Promise<void> {
    for (;;) {
      const row = this.#queue.store.read(id)
      if (row.ended_at !== null) throw wrongState(row, 'cancelled')
      await this.#queue.interruptTree(row, 'cancelled')
      const after = this.#queue.store.read(id)
      if (after.state === 'cancelled') return
      if (after.ended_at !== null) throw wrongState(after, 'cancelled')
    }
  }

  /** What is at work is newer in memory than in the database. */
  #summary(row: JobRow): JobSummary {
    const stored = summaryOf(row)
    const run = this.#queue.active.get(row.id)?.run
    if (run === undefined) return stored
    const progress = run.meter.fields()
    return { ...stored, progress, phase: progress.phase || stored.phase, problems: run.problems }
  }

  #handle(id: JobId): JobHandle<unknown> {
    return { id, outcome: options => this.outcome(id, options) }
  }
}
