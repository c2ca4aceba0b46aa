import {
  type Clock,
  hasCode,
  type JobId,
  linkSignals,
  type Random,
  ROOT,
  SpacedriveError,
  toError
} from '../base/index.js'
import type { Indexer } from '../indexer/index.js'
import type { JobManager, JobOutcome, JobSummary } from '../jobs/index.js'
import { type IndexJob, type IndexPartJob, serialOf } from './index-job.js'
import { CHECK_INTERVAL_MS, CHECK_JITTER, RETRY_MS } from './limits.js'
import type { LookOptions } from './location.js'
import type { LocationRecord } from './record.js'
import { indexLocation, type LocationColumns } from './row.js'

export interface LooksInit {
  readonly record: LocationRecord
  readonly indexer: Indexer
  readonly jobs: JobManager
  readonly job: IndexJob
  readonly partJob: IndexPartJob
  readonly clock: Clock
  readonly random: Random
  /** Aborted when the location is closed. */
  readonly signal: AbortSignal
  readonly online: () => boolean
  /** Stores what changed, unless the location went offline meanwhile. */
  readonly save: (changes: LocationColumns) => Promise<void>
  /** A look at everything has ended well. */
  readonly looked: () => Promise<void>
  /** Looks whether the root is there and the folder it was. */
  readonly check: () => Promise<void>
}

const LIVE = ['queued', 'running', 'paused'] as const

/** Looks at the whole of a location: by its job where a person may want to see it, else quietly, on a schedule. */
export class LocationLooks {
  readonly #init: LooksInit
  readonly #followed = new Set<JobId>()
  #again = false
  #timer: { clear(): void } | undefined
  #looking: Promise<void> | undefined
  #giveWay: AbortController | undefined

  constructor(init: LooksInit) {
    this.#init = init
  }

  /** Jobs that look at all of this location and are not at their end, the one at work first. */
  live(): readonly JobSummary[] {
    return this.atWork().filter(j => j.kind === this.#init.job.kind)
  }

  /** Likewise with those that look at a part of it. */
  atWork(): readonly JobSummary[] {
    return this.#init.jobs.list({ serial: serialOf(this.#init.record.id), states: LIVE })
  }

  /** Jobs that are there already: of an earlier run of the program. */
  start(): void {
    for (const { id } of this.live()) this.#follow(id)
  }

  async stop(): Promise<void> {
    this.#timer?.clear()
    await this.#looking
  }

  /** Has its job look at everything. One that waits already is as good; a paused one goes on. */
  async scan({
    force = false,
    priority
  }: {
    force?: boolean | undefined
    priority?: 'normal' | 'low'
  } = {}): Promise<JobId> {
    const { jobs, job, record } = this.#init
    const live = this.live()
    const paused = live.find(j => j.state === 'paused')
    if (paused !== undefined) await jobs.resume(paused.id)
    const there = paused ?? live.find(j => j.state === 'queued')
    if (there !== undefined && !force) return there.id
    const { name, mode } = record.location
    const input = { library: record.library.id, location: record.id, name, mode, ...(force ? { force } : {}) }
    const { id } = await jobs.dispatch(job, input, { priority })
    this.#follow(id)
    return id
  }

  /** Has a job look at a part of it, or at all of it in another mode. What is no more than `scan` is that. */
  async look({ from = ROOT, scope = 'recursive', force, maxDepth, mode: asked }: LookOptions = {}): Promise<JobId> {
    const { jobs, partJob, record } = this.#init
    const { name: whole, mode } = record.location
    const other = asked !== undefined && asked !== mode
    if (from === ROOT && scope === 'recursive' && maxDepth === undefined && !other) return this.scan({ force })
    const name = from === ROOT ? whole : `${whole}/${from}`
    const input = { library: record.library.id, location: record.id, name, mode: asked ?? mode }
    return (await jobs.dispatch(partJob, { ...input, force, from, scope, maxDepth })).id
  }

  /** The location is there: jobs that waited for that go on, and where none looks at all of it one begins. */
  async goOn(): Promise<void> {
    const { jobs, record } = this.#init
    if (this.live().length === 0) await this.scan({ priority: record.location.lastScanAt === null ? 'normal' : 'low' })
    for (const { id, state, pausedBy } of this.atWork()) {
      if (state === 'paused' && pausedBy === 'program') await jobs.resume(id)
    }
  }

  /** Something may have been missed: a look as soon as nothing else is at it. */
  missed(): void {
    if (this.live().length > 0 || this.#looking !== undefined) this.#again = true
    else this.after(0)
  }

  /** A job begins: a quiet look that is under way ends. One that looks at everything does its work; else it comes again. */
  async giveWay(): Promise<void> {
    this.#giveWay?.abort(new SpacedriveError('STOPPED', 'a job looks instead'))
    await this.#looking
  }

  /** A quiet look after so long. */
  after(ms: number): void {
    this.#timer?.clear()
    if (this.#init.signal.aborted) return
    this.#timer = this.#init.clock.timer(() => {
      this.#looking ??= this.#quietLook().finally(() => {
        this.#looking = undefined
      })
    }, ms)
  }

  #follow(id: JobId): void {
    if (this.#followed.has(id)) return
    this.#followed.add(id)
    this.#init.jobs
      .outcome(id, { signal: this.#init.signal })
      .then(outcome => this.#jobEnded(outcome))
      .catch(() => {}) // closed, or the program ends: the next start looks again
      .finally(() => this.#followed.delete(id))
  }

  async #jobEnded({ state, error }: JobOutcome): Promise<void> {
    const { record, save, check } = this.#init
    record.refresh()
    if (state === 'completed' || state === 'completed-with-problems') await this.#looked()
    else if (state === 'cancelled') await save({ activity: 'idle', ...this.#neverWhole() })
    else if (error?.code === 'LOCATION_OFFLINE') await check()
    else {
      await save({ activity: 'error', problem_code: error?.code ?? 'JOB_FAILED', problem: error?.message ?? '' })
      this.after(RETRY_MS)
    }
  }

  #neverWhole(): LocationColumns {
    return this.#init.record.location.lastScanAt === null ? { freshness: 'partial' } : {}
  }

  async #looked(): Promise<void> {
    const { save, clock, random, looked } = this.#init
    const activity = this.live().length === 0 ? 'idle' : 'pending'
    this.after(CHECK_INTERVAL_MS * (1 + CHECK_JITTER * (2 * random.float() - 1)))
    await save({ activity, last_scan_at: clock.nowMs(), problem_code: null, problem: null })
    await looked()
    if (this.#again) {
      this.#again = false
      this.after(0)
    }
  }

  /** Without a job: what is done every hour is no news. */
  async #quietLook(): Promise<void> {
    const { indexer, record, save, signal, online, check } = this.#init
    await check()
    if (!online() || signal.aborted) return
    if (this.live().length > 0) {
      this.#again = true
      return
    }
    this.#giveWay = new AbortController()
    const linked = linkSignals(signal, this.#giveWay.signal)
    try {
      await save({ activity: 'scanning' })
      const request = { library: record.library, location: indexLocation(record.location) }
      await indexer.index(request, { signal: linked.signal })
      record.refresh()
      await this.#looked()
    } catch (err) {
      if (signal.aborted || (hasCode(err, 'STOPPED') && !linked.signal.aborted)) return
      if (linked.signal.aborted && this.live().length > 0) return
      if (hasCode(err, 'LOCATION_OFFLINE')) void check()
      else if (linked.signal.aborted || hasCode(err, 'LOCATION_BUSY')) await save({ activity: 'idle' })
      else await save({ activity: 'error', problem_code: 'LOOK_FAILED', problem: toError(err).message })
      this.after(RETRY_MS)
    } finally {
      linked.clear()
      this.#giveWay = undefined
    }
  }
}
