import { type DeviceId, type JobId, raceSignal, type Startable } from '../../../storage/base/index.js'
import type { JobManager, PhaseContext } from '../../../storage/jobs/index.js'
import type { RemoteCopyComponents } from './ports.js'
import { waitWrites } from './waits.worker.js'

/** Before the second try over connections that do not hold; doubled with each one. */
const FIRST_DELAY_MS = 1_000

/**
 * Jobs whose other device is away: such a one is paused by the program, with a row for each device, and resumed when they are all
 * connected; also after a restart. A person may resume or cancel it meanwhile, like any other.
 */
export class Waits implements Startable {
  readonly #components: RemoteCopyComponents
  readonly #jobs: Pick<JobManager, 'resume' | 'summary' | 'list'>
  readonly #watching = new Map<JobId, AbortController>()
  #off: (() => void) | undefined

  constructor(components: RemoteCopyComponents, jobs: Pick<JobManager, 'resume' | 'summary' | 'list'>) {
    this.#components = components
    this.#jobs = jobs
  }

  async start(): Promise<void> {
    const { db, events } = this.#components
    this.#off = events.on('job:paused', ({ job }) => this.#watch(job as JobId))
    for (const { job } of db.all<{ job: JobId }>('SELECT DISTINCT job FROM job_waits')) this.#watch(job)
  }

  async stop(): Promise<void> {
    this.#off?.()
    for (const watch of this.#watching.values()) watch.abort()
    this.#watching.clear()
  }

  /** The job is at work again, whoever resumed it. */
  async begun(job: JobId): Promise<void> {
    this.#watching.get(job)?.abort()
    this.#watching.delete(job)
    if (this.#rows(job).length > 0) await this.#components.db.write(waitWrites.drop, { job })
  }

  devicesOf(job: JobId): DeviceId[] {
    return this.#rows(job).map(r => r.device)
  }

  /** Rests until the devices are there. @param tries - in vain, over connections that did not hold. @throws the reason of the pause */
  async rest(ctx: PhaseContext, devices: readonly DeviceId[], tries: number): Promise<never> {
    const { db, clock, ends, pause } = this.#components
    const delayMs = tries === 0 ? 0 : FIRST_DELAY_MS * 2 ** (tries - 1)
    await db.write(waitWrites.add, { job: ctx.job, devices, notBefore: clock.nowMs() + delayMs })
    await ctx.checkpoint()
    const away = devices.filter(d => !ends.isConnected(d))
    const names = (away.length > 0 ? away : devices).map(d => ends.nameOf(d)).join(' and ')
    // The pause itself waits until this phase has ended.
    void pause(ctx.job, `waits for ${names}: it goes on by itself when ${names} can be reached`).catch(() => {})
    return raceSignal(new Promise<never>(() => {}), ctx.signal)
  }

  #rows(job: JobId): { device: DeviceId; not_before: number }[] {
    return this.#components.db.all('SELECT device, not_before FROM job_waits WHERE job = ?', [job])
  }

  #watch(job: JobId): void {
    const rows = this.#rows(job)
    if (rows.length === 0 || this.#watching.has(job)) return
    const { clock, ends, db, log } = this.#components
    const watch = new AbortController()
    const { signal } = watch
    this.#watching.set(job, watch)
    const go = async (): Promise<void> => {
      const delayMs = Math.max(...rows.map(r => r.not_before)) - clock.nowMs()
      if (delayMs > 0) await clock.sleep(delayMs, { signal })
      // Revoked: the copy goes on as well, and says so.
      for (const { device } of rows) await ends.whenConnected(device, { signal }).catch(() => signal.throwIfAborted())
      this.#watching.delete(job)
      const { state, pausedBy } = this.#jobs.summary(job)
      if (state === 'paused' && pausedBy === 'program') await this.#jobs.resume(job)
      else await db.write(waitWrites.drop, { job })
    }
    go().catch(err => {
      if (signal.aborted) return
      this.#watching.delete(job)
      log.warn('a job that waited for a device could not go on', { job, err })
    })
  }
}
