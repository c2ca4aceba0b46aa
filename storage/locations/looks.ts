import { type Clock, hasCode, type JobId, linkSignals, type Random, SpacedriveError, toError } from '../base/index.js'
import type { Indexer } from '../indexer/index.js'
import type { JobManager, JobOutcome, JobSummary } from '../jobs/index.js'
import { type IndexJob, serialOf } from './index-job.js'
import { CHECK_INTERVAL_MS, CHECK_JITTER, RETRY_MS } from './limits.js'
import type { LocationRecord } from './record.js'
import { indexLocation, type LocationColumns } from './row.js'

export interface LooksInit {
  readonly record: LocationRecord
  readonly indexer: Indexer
  readonly jobs: JobManager
  readonly job: IndexJob
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

  /** Jobs of this location that are not at their end, the one at work first. */
  live(): readonly JobSummary[] {
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

  /** Something may have been missed: a look as soon as nothing else is at it. */
  missed(): void {
    if (this.live().length > 0 || this.#looking !== undefined) this.#again = true
    else this.after(0)
  }

  /** A job begins: a quiet look that is under way ends, the job looks at everything anyway. */
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
      if (linked.signal.aborted || hasCode(err, 'STOPPED')) return
      if (hasCode(err, 'LOCATION_OFFLINE')) void check()
      else if (hasCode(err, 'LOCATION_BUSY')) await save({ activity: 'idle' })
      else await save({ activity: 'error', problem_code: 'LOOK_FAILED', problem: toError(err).message })
      this.after(RETRY_MS)
    } finally {
      linked.clear()
      this.#giveWay = undefined
    }
  }
}
