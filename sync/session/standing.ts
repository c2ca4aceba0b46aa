import {
  type AbsPath,
  type Clock,
  hasCode,
  type JobId,
  type Logger,
  type Random,
  type RelPath,
  SpacedriveError,
  toError
} from '../../storage/base/index.js'
import type { JobOutcome } from '../../storage/jobs/index.js'
import type { Watcher } from '../../storage/watcher/index.js'
import { ENDS } from '../reconcile/index.js'
import { Alarm } from './alarm.js'
import { Burst } from './burst.js'
import { letRest } from './let-rest.js'
import { type Hints, Pending } from './pending.js'
import { isLarge, takesAway } from './plan-size.js'
import type { Sync } from './record.js'
import type { RunReport } from './report.js'
import type { NotDone, RunOptions } from './runs.js'
import type { Standing } from './status.js'
import { WatchedEnds, type WatchedEndsInit } from './watched-ends.js'

/** Watchers miss things: everything is looked at this often, a fifth of it at random. */
export const LOOK_INTERVAL_MS = 3_600_000
const LOOK_JITTER = 0.2
/** A folder that is away is looked for this often (a volume that comes is noticed within two seconds besides). */
export const AWAY_CHECK_MS = 5_000
/** After a run that failed, and for paths that could not be done: doubled each time, up to the interval of looking. */
export const RETRY_MS = 5_000

export interface StandingInit {
  readonly watcher: Watcher
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  /** The sync as it is now; undefined once it is removed. */
  find(): Sync | undefined
  /** A session here, quietly. */
  run(options: RunOptions): Promise<RunReport | NotDone>
  /** A session as a job, or the one that goes on; all of both ends is looked at. */
  begin(): Promise<Whole>
  outcome(job: JobId, signal: AbortSignal): Promise<JobOutcome>
  isNetwork(path: AbsPath): Promise<boolean>
  watchFar: WatchedEndsInit['watchFar']
  /** Paths that the last run left unsettled. */
  unsettled(): readonly RelPath[]
  /** `state` may be otherwise now. */
  changed(): void
}

/** A look at all of both ends. */
export interface Whole {
  readonly job: JobId
  /** It went on already, and has looked at some of it. */
  readonly wentOn: boolean
}

/**
 * A sync that runs by itself (SYNC.md 7): on each change at either end, after the start, and every hour. One thing at a time:
 * watch both ends, look at everything once, then only where something was hinted at. What was cut off, missed or not understood
 * is followed by a look at everything. Its idle cost is the two watches.
 */
export class StandingSync {
  readonly #init: StandingInit
  readonly #stopping = new AbortController()
  readonly #pending: Pending
  readonly #watched: WatchedEnds
  #running: Promise<void> = Promise.resolve()
  readonly #alarm: Alarm
  /** Everything is to be looked at. */
  #whole = true
  #nextWholeMs = 0
  #retryMs = RETRY_MS
  #retryAtMs: number | undefined
  #away: string | undefined
  /** A person has to help first: nothing is tried before something changes. */
  #stuck = false
  /** Something goes on, or is due at once. */
  #working = false

  constructor(init: StandingInit) {
    this.#init = init
    this.#alarm = new Alarm(init.clock, this.#stopping.signal)
    this.#pending = new Pending(init.clock)
    this.#watched = new WatchedEnds({
      ...init,
      changed: (end, changes) => {
        this.#stuck = false
        this.#pending.add(end, changes)
        this.#alarm.wake()
      },
      lost: () => {
        this.#whole = true
        init.changed()
        this.#alarm.wake()
      },
      noted: () => init.changed()
    })
  }

  /** @param ended - it was removed, or paused by what a run came to */
  start(ended: () => void): void {
    this.#running = this.#go()
      .catch(err => this.#init.log.error('a sync no longer runs by itself', { err }))
      .finally(() => this.#watched.stop())
      .finally(ended)
  }

  /** Ends what goes on, cleanly. */
  async stop(): Promise<void> {
    this.#stopping.abort(new SpacedriveError('STOPPED', 'the sync no longer runs by itself'))
    this.#alarm.wake()
    await this.#running
  }

  /** Something happened that may help, or that no watch tells of: a volume came or went, a person ran it. */
  nudge(): void {
    if (this.#waits) this.#retryAtMs = 0
    this.#stuck = false
    this.#alarm.wake()
  }

  get state(): Standing {
    const working = this.#working
    if (this.#away !== undefined) return { state: 'away', working, note: this.#away }
    const { notes, complete } = this.#watched
    if (notes.length > 0) return { state: 'looking', working, note: notes.join(' ') }
    return { state: complete ? 'watching' : 'off', working, note: undefined }
  }

  /** Only what happens outside, or time, helps. */
  get #waits(): boolean {
    return this.#away !== undefined || this.#stuck
  }

  async #go(): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      this.#alarm.set()
      const sync = this.#init.find()
      if (sync === undefined || sync.paused) return
      try {
        if (await this.#step(sync)) continue
      } catch (err) {
        if (signal.aborted) return
        this.#later(err)
      }
      await this.#rest()
    }
  }

  /** @returns whether there may be more to do at once */
  async #step(sync: Sync): Promise<boolean> {
    const now = this.#init.clock.monotonicMs()
    if (this.#waits && this.#retryAtMs !== undefined && now < this.#retryAtMs) return false
    // The watch first and the look then, so that nothing falls between.
    const begun = await this.#watched.begin(sync)
    if (begun === undefined) {
      // A session says what is the matter, in the words of the guard.
      this.#whole = true
      await this.#quick(NOTHING)
      return false
    }
    if (begun.length > 0) this.#whole = true
    if (this.#whole || now >= this.#nextWholeMs) return this.#lookAtAll()
    if (this.#pending.empty) {
      if (this.#retryAtMs === undefined || now < this.#retryAtMs) return false
      this.#retryAtMs = undefined
      const again = this.#init.unsettled().map(path => ({ path, subtree: false }))
      for (const end of ENDS) this.#pending.add(end, again)
    }
    this.#works(true)
    await letRest(this.#pending, sync, this.#init.clock)
    const hints = this.#pending.take()
    if (hints.source.length + hints.destination.length === 0) return false
    return this.#quick(hints)
  }

  /** While it is away it looks whether it is back: that is no work. */
  #works(working: boolean): void {
    this.#working = working
    this.#init.changed()
  }

  async #lookAtAll(): Promise<boolean> {
    this.#works(true)
    const { clock, random, begin, outcome } = this.#init
    this.#whole = false
    this.#pending.clear()
    this.#nextWholeMs = clock.monotonicMs() + LOOK_INTERVAL_MS * (1 + LOOK_JITTER * (2 * random.float() - 1))
    try {
      const { job, wentOn } = await begin()
      const { state, output, error } = await outcome(job, this.#stopping.signal)
      if (error !== undefined) throw new SpacedriveError(error.code, error.message)
      // Who cancelled it wants it to rest; the next change, or the hour, goes on.
      if (state !== 'cancelled' && output !== undefined) this.#heed(output as RunReport | NotDone)
      // What one that went on had looked at before the watch was there, or what was told was set aside, may be otherwise since.
      if (state !== 'cancelled' && (wentOn || output === undefined)) this.#whole = true
    } catch (err) {
      this.#whole = true
      throw err
    }
    return true
  }

  /** @returns whether there may be more to do at once */
  async #quick(hints: Hints): Promise<boolean> {
    const { signal } = this.#stopping
    let burst: Burst | undefined
    try {
      const ended = await this.#init.run({
        ...{ signal, hints, background: true },
        more: async plan => {
          if (isLarge(plan)) return 'leave'
          if (!takesAway(plan)) return undefined
          burst ??= new Burst(this.#alarm, this.#init.clock)
          await burst.ended()
          return this.#pending.empty ? undefined : this.#pending.take()
        },
        onLater: later => {
          for (const end of ENDS)
            this.#pending.add(
              end,
              later[end].map(path => ({ path, subtree: true }))
            )
        }
      })
      this.#heed(ended)
      return true
    } catch (err) {
      // What was looked at is in the snapshot, what was not is not: everything.
      this.#whole = true
      if (hasCode(err, 'SYNC_NOT_FOUND')) return false
      throw err
    }
  }

  #heed(ended: RunReport | NotDone): void {
    if (ended.state === 'other-plan') return
    if (ended.state === 'left') {
      this.#whole = true
      return
    }
    this.#away = undefined
    this.#stuck = false
    if (ended.state === 'idle') return
    const { state, reason, halts } = ended
    if (state === 'waiting' || (state === 'halted' && reason !== undefined && AWAY.has(reason))) {
      this.#away = (halts ?? []).join('; ')
      this.#whole = true
      this.#retryAtMs = this.#init.clock.monotonicMs() + AWAY_CHECK_MS
      return
    }
    if (state === 'halted') {
      this.#stuck = true
      this.#again()
      return
    }
    if (state === 'problems') this.#again()
    else {
      this.#retryMs = RETRY_MS
      this.#retryAtMs = undefined
    }
  }

  /** Tried again after a while, each time a longer one. */
  #again(): void {
    this.#retryAtMs = this.#init.clock.monotonicMs() + this.#retryMs
    this.#retryMs = Math.min(this.#retryMs * 2, LOOK_INTERVAL_MS)
  }

  #later(err: unknown): void {
    this.#init.log.warn('a sync could not run by itself and tries again', { error: toError(err).message })
    this.#whole = true
    this.#stuck = true
    this.#again()
  }

  /** Until something happens, or is due. */
  async #rest(): Promise<void> {
    this.#works(false)
    const now = this.#init.clock.monotonicMs()
    // While it waits for something outside the hour changes nothing.
    const due = this.#waits ? [] : [this.#nextWholeMs - now]
    if (this.#retryAtMs !== undefined) due.push(this.#retryAtMs - now)
    if (!this.#watched.complete || due.length === 0) due.push(AWAY_CHECK_MS)
    const rests = this.#waits ? undefined : this.#pending.restsForMs()
    if (rests !== undefined) due.push(rests)
    await this.#alarm.sleep(Math.max(1, Math.min(...due)))
  }
}

const NOTHING: Hints = { source: [], destination: [] }

/** Reasons that pass by themselves, when the folder comes back. */
const AWAY = new Set(['root-missing', 'root-replaced', 'root-not-a-folder'])
