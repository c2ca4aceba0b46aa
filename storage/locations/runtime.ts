import {
  type AbsPath,
  type Clock,
  deadline,
  displayPath,
  type EventBus,
  hasCode,
  type Logger,
  type Random,
  raceSignal,
  SpacedriveError,
  toError
} from '../base/index.js'
import type { Indexer } from '../indexer/index.js'
import type { JobManager } from '../jobs/index.js'
import type { Library } from '../libraries/index.js'
import type { Volumes } from '../volumes/index.js'
import type { WatchBackend, WatchCoverage, Watcher } from '../watcher/index.js'
import type { IndexJob, IndexPartJob } from './index-job.js'
import { RETRY_MS, ROOT_ANSWER_MS } from './limits.js'
import type { Freshness, Location } from './location.js'
import { LocationWatch, WATCH_PROBLEMS } from './location-watch.js'
import { LocationLooks } from './looks.js'
import { offline } from './names.js'
import { Ready } from './ready.js'
import { LocationRecord } from './record.js'
import { findMovedRoot, isStillRoot, judgeRoot, lookAtRoot, type RootFound, type RootVerdict } from './root.js'
import { type LocationColumns, rootColumns } from './row.js'

export interface RuntimeComponents {
  readonly indexer: Indexer
  readonly watcher: Watcher
  readonly volumes: Volumes
  readonly jobs: JobManager
  readonly clock: Clock
  readonly random: Random
  readonly events: EventBus
  readonly log: Logger
}

export interface RuntimeInit extends RuntimeComponents {
  readonly job: IndexJob
  readonly partJob: IndexPartJob
  /** The nearest location around this one that is watched: it sees what happens here. */
  outer(runtime: LocationRuntime): LocationRuntime | undefined
  /** Its watch began or ended: those inside it may need one of their own. */
  watchChanged(runtime: LocationRuntime): void
}

/** One location at work: whether its root is there, its watch, and the looks that keep its index true. */
export class LocationRuntime {
  readonly record: LocationRecord
  readonly looks: LocationLooks
  readonly #init: RuntimeInit
  readonly #stopping = new AbortController()
  readonly #ready = new Ready()
  #turn: Promise<unknown> = Promise.resolve()
  #checkWaits: Promise<void> | undefined
  #online = false
  #network = false
  /** Looked at whole since it is there and watched. */
  #looked = false
  #watch: LocationWatch | undefined
  #rootLook: Promise<RootFound> | undefined
  #found: RootFound | undefined

  constructor(init: RuntimeInit, library: Library, location: Location) {
    this.#init = init
    this.record = new LocationRecord(library, location, init)
    this.looks = new LocationLooks({
      ...{ record: this.record, indexer: init.indexer, jobs: init.jobs, job: init.job, partJob: init.partJob },
      ...{ clock: init.clock, random: init.random, signal: this.#stopping.signal },
      online: () => this.#online,
      save: changes => this.save(changes),
      looked: () => this.#inTurn(() => this.#afterLook()),
      check: () => this.check()
    })
  }

  get path(): AbsPath {
    return this.record.location.path
  }

  get isWatching(): boolean {
    return this.#watch?.backend != null
  }

  get watchedBy(): WatchBackend | 'outer' | null {
    return this.#watch?.backend ?? (this.#online && this.#init.outer(this) !== undefined ? 'outer' : null)
  }

  /** Of the watch that sees this location: its own, or that of the one around it. */
  get coverage(): WatchCoverage | undefined {
    return this.#watch?.coverage ?? this.#init.outer(this)?.coverage
  }

  start(): Promise<void> {
    this.looks.start()
    return this.check()
  }

  /** Ends its watch and its looks; its job goes on. */
  async stop(): Promise<void> {
    this.#stopping.abort(new SpacedriveError('STOPPED', 'the location is closed'))
    this.#ready.reject(this.#stopping.signal.reason)
    await this.looks.stop()
    await this.#turn
    await this.#watch?.stop()
  }

  /** Resolves when it is there and watched. @throws LOCATION_OFFLINE */
  ready(signal: AbortSignal): Promise<void> {
    return raceSignal(this.#ready.promise, signal)
  }

  /** Looks whether the root is there and still the same folder, and acts on it. Asked often; one waits at most. */
  check(): Promise<void> {
    this.#checkWaits ??= this.#inTurn(async () => {
      this.#checkWaits = undefined
      const found = await this.#look()
      const verdict = judgeRoot({ ...this.record.location, hadEntries: this.record.hadEntries() }, found)
      if (verdict.state === 'online') await this.#present(found as RootFound & { there: true }, verdict.renew)
      else await this.#absent(verdict)
    })
    return this.#checkWaits
  }

  /** Its own watch, none, or the one around it, as the situation asks. */
  ensureWatch(): Promise<void> {
    return this.#inTurn(async () => {
      const wanted = this.#wantsWatch()
      if (wanted && this.#watch === undefined) {
        this.#looked = false
        await this.#beginWatch()
        this.looks.missed() // nobody watched in between
      } else if (!wanted && this.#watch !== undefined) await this.#endWatch()
      await this.#tellFreshness()
    })
  }

  freshness(): Freshness {
    const { lastScanAt, freshness } = this.record.location
    if (lastScanAt === null) return freshness === 'partial' ? 'partial' : 'unknown'
    if (!this.#online || !this.#looked || this.coverage === undefined) return 'stale'
    return this.coverage.complete ? 'fresh' : 'partial'
  }

  /** What ends while the location is offline does not make it look as if it were there. */
  async save(changes: LocationColumns): Promise<void> {
    if (this.#online) await this.record.save(changes)
  }

  #wantsWatch(): boolean {
    return this.#online && this.record.location.watch && this.#init.outer(this) === undefined
  }

  async #look(): Promise<RootFound> {
    const { volumes } = this.#init
    // A look that hangs (a server that is away) is not begun a second time: each would hold a thread.
    this.#rootLook ??= lookAtRoot(this.path, path => volumes.placementOf(path)).finally(() => {
      this.#rootLook = undefined
    })
    const { signal, clear } = deadline(ROOT_ANSWER_MS, 'looking at the folder', this.#stopping.signal)
    try {
      return await raceSignal(this.#rootLook, signal)
    } catch (err) {
      if (this.#stopping.signal.aborted) throw err
      return { there: false, code: 'TIMEOUT', message: 'its disk or server does not answer' }
    } finally {
      clear()
    }
  }

  async #present(found: RootFound & { there: true }, renew: boolean): Promise<void> {
    const { root } = this.record.location
    const replaced = root !== null && root.inode !== found.identity.inode
    if (renew) await this.record.save(rootColumns(found))
    this.#network = found.placement?.volume.network ?? false
    this.#found = found
    if (this.#online && !replaced) return
    if (replaced) await this.#endWatch()
    await this.#goOnline()
  }

  async #goOnline(): Promise<void> {
    const { record, looks } = this
    const wasOffline = record.location.activity === 'offline'
    this.#online = true
    this.#looked = false
    if (this.#wantsWatch() && this.#watch === undefined) await this.#beginWatch()
    const [live] = looks.live()
    const paused = live?.state === 'paused' && live.pausedBy === 'person'
    const atWork = live?.state === 'running' ? 'scanning' : 'pending'
    const activity = paused ? 'paused' : live === undefined ? 'idle' : atWork
    await record.save({ activity, problem_code: null, problem: null })
    if (wasOffline) this.#init.events.emit('location:online', { library: record.library.id, location: record.id })
    await this.#tellFreshness()
    this.#ready.resolve()
    await looks.goOn()
  }

  async #absent(verdict: RootVerdict & { state: 'offline' }): Promise<void> {
    const { location } = this.record
    if (await this.#follows()) return
    this.#ready.reject(offline(location, verdict.message))
    if (!this.#online && location.activity === 'offline' && location.problem?.code === verdict.code) return
    this.#online = false
    await this.#endWatch()
    const freshness = location.lastScanAt === null ? location.freshness : 'stale'
    await this.record.save({ activity: 'offline', freshness, problem_code: verdict.code, problem: verdict.message })
    const { library } = this.record
    this.#init.events.emit('location:offline', { library: library.id, location: location.id, reason: verdict.message })
  }

  /** Its disk is mounted at another place, with the very folder on it: the location goes along. */
  async #follows(): Promise<boolean> {
    const { volumes, log } = this.#init
    const from = this.path
    const moved = await findMovedRoot(
      { ...this.record.location, hadEntries: true },
      (volume, within) => volumes.pathOf(volume, within),
      path => volumes.placementOf(path)
    )
    if (moved === undefined) return false
    log.info('a location followed its disk', { from: displayPath(from), to: displayPath(moved.path) })
    await this.#endWatch()
    await this.record.relocate(moved.path, rootColumns(moved.found))
    this.#found = moved.found
    await this.#goOnline()
    return true
  }

  async #beginWatch(): Promise<void> {
    const { watcher, indexer, log } = this.#init
    const watch = new LocationWatch({
      ...{ record: this.record, watcher, indexer, log },
      covered: () => void this.#inTurn(() => this.#tellFreshness()),
      isStillRoot: () => isStillRoot(this.path, this.#found),
      rootDoubtful: () => void this.check().then(() => this.looks.missed()),
      missed: err => {
        log.error('changes could not be recorded', { path: displayPath(this.path), error: err.message })
        this.looks.after(RETRY_MS)
      }
    })
    try {
      await watch.start(this.#network)
      this.#watch = watch
      this.#init.watchChanged(this)
    } catch (err) {
      // Gone between the look and the watch: the next check says so.
      log.debug('a watch did not begin', { path: displayPath(this.path), error: toError(err).message })
    }
  }

  async #endWatch(): Promise<void> {
    const watch = this.#watch
    if (watch === undefined) return
    this.#watch = undefined
    await watch.stop()
    this.#init.watchChanged(this)
  }

  /** Now its size is known: another back end may suit it better. */
  async #afterLook(): Promise<void> {
    this.#looked = true
    if (this.#watch?.backend != null && this.#watch.backend !== LocationWatch.suits(this.record, this.#network)) {
      await this.#endWatch()
      await this.#beginWatch()
      this.looks.missed()
    }
    await this.#tellFreshness()
  }

  async #tellFreshness(): Promise<void> {
    const { freshness: stored, problem: told } = this.record.location
    const freshness = this.freshness()
    const problem = this.coverage?.problem
    const replaceable = told === null || WATCH_PROBLEMS.has(told.code)
    if (freshness === stored && (!replaceable || told?.code === problem?.code)) return
    const words = replaceable ? { problem_code: problem?.code ?? null, problem: problem?.message ?? null } : {}
    await this.save({ freshness, ...words })
  }

  /** Transitions one after another; what goes wrong in one is said and ends it alone. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const next = this.#turn.then(async () => {
      if (this.#stopping.signal.aborted) return
      try {
        await work()
      } catch (err) {
        if (this.#stopping.signal.aborted || hasCode(err, 'STOPPED', 'LOCATION_NOT_FOUND')) return
        const error = toError(err).message
        this.#init.log.error('a location could not be looked after', { path: displayPath(this.path), error })
        this.looks.after(RETRY_MS)
      }
    })
    this.#turn = next
    return next
  }
}
