import { type JobId, newUuid, type ProgressFields, SpacedriveError, toPlainError } from '../base/index.js'
import { ActiveJob } from './active.js'
import { encodeValue } from './codec.js'
import { parseInput, UNKNOWN_KIND } from './definition.js'
import type { StopReason } from './errors.js'
import { type DispatchOptions, type JobOutcome, type JobState, PRIORITIES } from './job.js'
import type { JobManagerInit } from './job-service.js'
import { jobWrites } from './jobs.worker.js'
import { MAX_ENDED_JOBS, MAX_JOB_DEPTH, MAX_WAITING, RETENTION_MS } from './limits.js'
import { Outcomes, outcomeOf } from './outcomes.js'
import { type AnyJob, JobRun, type RunComponents } from './run.js'
import { Scheduler } from './scheduler.js'
import { type JobRow, JobStore, LIVE, summaryOf } from './store.js'

/** The jobs in memory: from being stored, through the queue and their run, to rest. */
export class JobQueue {
  readonly store: JobStore
  readonly outcomes = new Outcomes()
  readonly definitions = new Map<string, AnyJob>()
  readonly active = new Map<JobId, ActiveJob>()
  /** False before the start and from the beginning of the end: nothing new is begun. */
  open = false
  readonly #init: JobManagerInit
  readonly #scheduler: Scheduler
  readonly #components: RunComponents
  #order = 0

  constructor(init: JobManagerInit) {
    this.#init = init
    this.store = new JobStore(init.db)
    this.#scheduler = new Scheduler(init.maxRunning)
    this.#components = {
      ...init,
      store: this.store,
      spawn: (run, definition, input, key, priority) => this.#spawn(run, definition, input, key, priority),
      childOutcome: (run, child) => this.#childOutcome(run, child),
      waitFor: (run, waiting) => this.active.get(run.id)!.lend(waiting),
      progressed: (run, fields) => {
        if (run.row.parent !== null) this.active.get(run.row.parent)?.run?.meter.child(run.id, fields)
      }
    }
  }

  async insert(
    definition: AnyJob,
    raw: unknown,
    { priority }: DispatchOptions,
    child: { run: JobRun; key: string } | undefined
  ): Promise<JobRow> {
    if (!this.open) throw new SpacedriveError('STOPPED', 'no jobs are begun: the program ends')
    if (this.#scheduler.waiting >= MAX_WAITING) {
      throw new SpacedriveError('JOB_QUEUE_FULL', `${MAX_WAITING} jobs wait already`, { hint: 'Cancel some, or wait.' })
    }
    const input = parseInput(definition, raw)
    const { clock, random, db } = this.#init
    const id = newUuid(clock.nowMs(), random) as JobId
    const inserted = await db.write(jobWrites.insertJob, {
      id,
      kind: definition.kind,
      title: definition.title?.(input) ?? definition.kind,
      priority: PRIORITIES.indexOf(priority ?? definition.priority ?? 'normal'),
      parent: child?.run.id ?? null,
      child_key: child?.key ?? null,
      depth: child === undefined ? 0 : child.run.row.depth + 1,
      serial: definition.serial?.(input) ?? null,
      input: encodeValue(raw, `input of the job ${definition.kind}`),
      state_version: definition.version,
      created_at: clock.nowMs()
    })
    if (!inserted) return this.store.child(child!.run.id, child!.key)!
    const row = this.store.read(id)
    this.#launch(definition, row)
    return row
  }

  async launchStored(row: JobRow): Promise<void> {
    const definition = this.definitions.get(row.kind)
    if (definition === undefined) {
      const because = `this version of the program knows no jobs of the kind ${row.kind}`
      const changes = { state: 'paused', paused_by: 'program', paused_because: because }
      await this.#init.db.write(jobWrites.saveJob, { id: row.id, changes })
      return
    }
    this.#launch(definition, row)
  }

  #launch(definition: AnyJob, row: JobRow): void {
    if (this.active.has(row.id)) return // it is being cancelled in this very moment
    // A child goes where its parent would: it was begun by what had its turn already.
    const parent = row.parent === null ? undefined : this.active.get(row.parent)
    const order = parent?.order ?? this.#order++
    const active = new ActiveJob(this.#scheduler, definition, row, order, parent?.serialKeys ?? [])
    this.active.set(row.id, active)
    this.#init.events.emit('job:queued', { job: row.id, kind: row.kind })
    active.rest = this.#drive(active)
  }

  /** From the queue to rest. Never rejects: what goes wrong here is the job's failure, and is logged. */
  async #drive(active: ActiveJob): Promise<void> {
    const { row, definition } = active
    let state: JobState
    try {
      const granted = await active.enter().then(
        () => true,
        () => false
      )
      const run = new JobRun(this.#components, definition, row, active.signal)
      if (active.paused !== undefined) run.paused = active.paused
      active.run = run
      if (granted) {
        state = await run.execute()
      } else state = await run.leaveQueue((active.signal.reason as { stop: StopReason }).stop)
    } catch (err) {
      state = await this.#broken(row, err)
    }
    this.active.delete(row.id)
    active.leave()
    await this.#settled(row.id, state).catch((err: unknown) => {
      this.#init.log.error('the end of a job could not be told', { job: row.id, err })
    })
  }

  /** Input or database could not be read or written: the job fails, if that can be stored at all. */
  async #broken(row: JobRow, err: unknown): Promise<JobState> {
    const error = toPlainError(err)
    this.#init.log.error('a job could not be run', { job: row.id, kind: row.kind, err })
    const changes = { state: 'failed', error: JSON.stringify(error), ended_at: this.#init.clock.nowMs() }
    await this.#init.db.write(jobWrites.saveJob, { id: row.id, changes }).catch(() => {})
    return 'failed'
  }

  async #settled(id: JobId, state: JobState): Promise<void> {
    const row = this.store.find(id)
    if (row === undefined) return
    const { events } = this.#init
    const job = { job: id, kind: row.kind }
    if (state === 'paused') events.emit('job:paused', job)
    if (row.ended_at === null) return
    const parent = row.parent === null ? undefined : this.active.get(row.parent)?.run
    const { progress } = summaryOf(row)
    if (progress !== null) parent?.meter.child(id, progress, true)
    if (state === 'failed' || state === 'cancelled') {
      const live = this.store.children(id).filter(child => LIVE.includes(child.state))
      await Promise.all(live.map(child => this.interruptTree(child, 'cancelled')))
    }
    const outcome = outcomeOf(row)
    if (state === 'cancelled') events.emit('job:cancelled', job)
    else if (state === 'failed') {
      events.emit('job:failed', { ...job, code: outcome.error!.code, message: outcome.error!.message })
    } else events.emit('job:completed', { ...job, problems: row.problems })
    this.outcomes.settle(id, outcome)
    if (this.open && row.parent === null) await this.prune()
  }

  async pause(id: JobId, paused: JobRun['paused']): Promise<void> {
    const active = this.active.get(id)
    if (active === undefined) return
    active.paused = paused
    if (active.run !== undefined) active.run.paused = paused
    active.interrupt('paused') // before its children, so that it begins no more of them
    const parent = { by: 'parent', because: 'the job it belongs to was paused' } as const
    await Promise.all(this.store.children(id).map(child => this.pause(child.id, parent)))
    await active.rest
  }

  async interruptTree(row: JobRow, stop: 'cancelled'): Promise<void> {
    const active = this.active.get(row.id) ?? this.#rest(row)
    active.interrupt(stop)
    const children = this.store.children(row.id).filter(child => LIVE.includes(child.state))
    await Promise.all(children.map(child => this.interruptTree(child, stop)))
    await active.rest
  }

  /** A paused job taken up for no other end than to be interrupted. */
  #rest(row: JobRow): ActiveJob {
    const active = new ActiveJob(this.#scheduler, this.definitions.get(row.kind) ?? UNKNOWN_KIND, row, 0, [])
    this.active.set(row.id, active)
    active.interrupt('cancelled')
    active.rest = this.#drive(active)
    return active
  }

  async #spawn(
    parent: JobRun,
    definition: AnyJob,
    input: unknown,
    key: string,
    priority: number | undefined
  ): Promise<JobId> {
    if (parent.row.depth + 1 > MAX_JOB_DEPTH) {
      throw new SpacedriveError('JOB_DEPTH', `jobs are nested deeper than ${MAX_JOB_DEPTH}: ${definition.kind}`)
    }
    const options = { priority: PRIORITIES[priority ?? parent.row.priority]! }
    const begun = this.store.child(parent.id, key)
    const row = begun ?? (await this.insert(definition, input, options, { run: parent, key }))
    if (row.kind !== definition.kind)
      throw new TypeError(`the child ${key} is a job ${row.kind}, not ${definition.kind}`)
    parent.children.add(row.id)
    const progress: ProgressFields | null = this.active.get(row.id)?.run?.meter.fields() ?? summaryOf(row).progress
    if (progress !== null) parent.meter.child(row.id, progress, row.ended_at !== null)
    return row.id
  }

  async #childOutcome(parent: JobRun, child: JobId): Promise<JobOutcome> {
    parent.children.delete(child)
    return this.active.get(parent.id)!.lend(this.outcomes.of(this.store.read(child), undefined))
  }

  async prune(): Promise<void> {
    const before = this.#init.clock.nowMs() - RETENTION_MS
    await this.#init.db.write(jobWrites.pruneJobs, { before, keep: MAX_ENDED_JOBS })
  }
}
