import {
  type AbsPath,
  type AnyEvent,
  deadline,
  displayPath,
  hasCode,
  isWithin,
  type JobId,
  type LibraryId,
  type LocationId,
  newUuid,
  pathBytes,
  raceSignal,
  SpacedriveError,
  toError,
  type WorkerPool
} from '../base/index.js'
import { DEFAULT_RULES, type IndexLocation } from '../indexer/index.js'
import type { Library, LibraryManager } from '../libraries/index.js'
import { type IndexJob, type IndexJobHost, type IndexPartJob, indexJob, indexPartJob } from './index-job.js'
import { locationInfos } from './info.js'
import { PREPARE_TIMEOUT_MS, ROOT_CHECK_MS } from './limits.js'
import type {
  LocationChanges,
  LocationInfo,
  LocationState,
  Locations,
  LookOptions,
  NewLocation,
  RescanOptions
} from './location.js'
import { locationTasks } from './locations.worker.js'
import { alreadyThere, checkName, defaultName } from './names.js'
import { lookAtRoot } from './root.js'
import { indexLocation, readLocation, readLocations, rootColumns } from './row.js'
import { changeRules } from './rules.js'
import { LocationRuntime, type RuntimeComponents, type RuntimeInit } from './runtime.js'
import { findRuntime, outerOf } from './runtimes.js'
import { checkLocationPath } from './validate.js'

export interface LocationsInit extends RuntimeComponents {
  readonly libraries: LibraryManager
  readonly pool: WorkerPool
  /** Folders of the program itself, besides open libraries: the data directory. */
  readonly ours: readonly AbsPath[]
}

export class LocationService implements Locations {
  readonly #init: LocationsInit
  readonly #job: IndexJob
  readonly #partJob: IndexPartJob
  readonly #runtimes = new Map<LocationId, LocationRuntime>()
  readonly #off: (() => void)[] = []
  #arrivals: (() => void)[] = []
  #timer: { clear(): void } | undefined
  #started = false

  constructor(init: LocationsInit) {
    this.#init = init
    const prepare: IndexJobHost['prepare'] = (library, location, options) => this.#prepare(library, location, options)
    this.#job = indexJob({ indexer: init.indexer, prepare })
    this.#partJob = indexPartJob({ indexer: init.indexer, prepare })
    init.jobs.register(this.#job)
    init.jobs.register(this.#partJob)
    init.libraries.beforeClose(library => this.#letGo(library))
  }

  async start(): Promise<void> {
    const { libraries, events } = this.#init
    this.#started = true
    this.#off.push(
      events.on('library:opened', ({ library }) => {
        const opened = libraries.opened().find(l => l.id === library)
        if (opened !== undefined) this.#takeUp(opened)
      }),
      events.onAny(event => this.#heard(event))
    )
    for (const library of [libraries.own, ...libraries.opened()]) this.#takeUp(library)
    this.#schedule()
  }

  async stop(): Promise<void> {
    this.#started = false
    this.#timer?.clear()
    for (const off of this.#off.splice(0)) off()
    const runtimes = [...this.#runtimes.values()]
    this.#runtimes.clear()
    await Promise.all(runtimes.map(r => r.stop()))
  }

  async add(
    library: Library,
    { path, name, mode = 'content', watch = true, rules = {} }: NewLocation
  ): Promise<{ location: LocationInfo; job: JobId }> {
    const { libraries, volumes, clock, random, events } = this.#init
    const ours = [...this.#init.ours, ...[libraries.own, ...libraries.opened()].map(l => l.path)]
    const real = await checkLocationPath(path, ours)
    const twin = readLocations(library).find(l => l.path === real)
    if (twin !== undefined) throw alreadyThere(real, twin)
    const found = await lookAtRoot(real, p => volumes.placementOf(p))
    if (!found.there || found.placement === undefined) {
      throw new SpacedriveError('NO_VOLUME', `could not add ${displayPath(real)}: it lies on no disk for files`, {
        hint: 'Folders that the system makes up itself (/proc, /sys, /dev) cannot be indexed.'
      })
    }
    const id = newUuid(clock.nowMs(), random) as LocationId
    await library.database.write(locationTasks.insertLocation, {
      ...rootColumns(found),
      ...{ uuid: id, host: library.host, path: pathBytes(real), name: checkName(name ?? defaultName(real)) },
      ...{ mode, watch: watch ? 1 : 0, rules: JSON.stringify(changeRules(DEFAULT_RULES, rules)), at: clock.nowMs() }
    })
    events.emit('location:added', { library: library.id, location: id, path: displayPath(real) })
    const runtime = this.#runtimeOf(library, readLocation(library, id)!)
    const job = await runtime.looks.scan()
    void runtime.start()
    return { location: await this.info(id), job }
  }

  async list(library?: Library): Promise<readonly LocationInfo[]> {
    const wanted = library === undefined ? [this.#init.libraries.own, ...this.#init.libraries.opened()] : [library]
    const lists = await Promise.all(
      wanted.map(l =>
        locationInfos(
          l,
          [...this.#runtimes.values()].filter(r => r.record.library === l),
          this.#init.pool
        )
      )
    )
    return lists.flat()
  }

  states(): readonly LocationState[] {
    return [...this.#runtimes.values()].map(runtime => {
      const { id, path, activity } = runtime.record.location
      const { library } = runtime.record
      return { id, library: library.id, path, activity, watchedBy: runtime.watchedBy, freshness: runtime.freshness() }
    })
  }

  find(which: string, library?: Library): { library: Library; id: LocationId } {
    const all = [...this.#runtimes.values()].filter(r => library === undefined || r.record.library === library)
    const found = findRuntime(all, which)
    return { library: found.record.library, id: found.record.id }
  }

  async info(id: LocationId): Promise<LocationInfo> {
    const runtime = this.#runtime(id)
    const [info] = await locationInfos(runtime.record.library, [runtime], this.#init.pool)
    return info!
  }

  async update(id: LocationId, changes: LocationChanges): Promise<{ location: LocationInfo; job: JobId | null }> {
    const runtime = this.#runtime(id)
    const { rules, mode, watch, name } = runtime.record.location
    const newRules = changes.rules === undefined ? rules : changeRules(rules, changes.rules)
    await runtime.record.save({
      rules: JSON.stringify(newRules),
      mode: changes.mode ?? mode,
      watch: (changes.watch ?? watch) ? 1 : 0,
      name: checkName(changes.name ?? name)
    })
    if ((changes.watch ?? watch) !== watch) await runtime.ensureWatch()
    const other = (changes.mode ?? mode) !== mode || JSON.stringify(newRules) !== JSON.stringify(rules)
    const job = other ? await runtime.looks.scan() : null
    return { location: await this.info(id), job }
  }

  rescan(id: LocationId, { force }: RescanOptions = {}): Promise<JobId> {
    return this.look(id, { force })
  }

  async look(id: LocationId, options?: LookOptions): Promise<JobId> {
    const runtime = this.#runtime(id)
    await runtime.check()
    await runtime.ready(AbortSignal.timeout(PREPARE_TIMEOUT_MS))
    return runtime.looks.look(options)
  }

  async remove(id: LocationId): Promise<void> {
    const { jobs, indexer, events } = this.#init
    const runtime = this.#runtime(id)
    const { library } = runtime.record
    if (runtime.record.location.versioned) {
      throw new SpacedriveError('LOCATION_IN_USE', `the location ${runtime.record.location.name} is used by a sync`, {
        hint: 'Remove the sync first: `sync list` shows it.'
      })
    }
    this.#runtimes.delete(id)
    await runtime.stop()
    for (const job of runtime.looks.atWork()) await jobs.cancel(job.id).catch(ended)
    runtime.record.refresh()
    await indexer.forget(library, indexLocation(runtime.record.location))
    await library.database.write(locationTasks.deleteLocation, { uuid: id })
    events.emit('location:removed', { library: library.id, location: id })
    this.#watchChanged(runtime)
  }

  #runtime(id: LocationId): LocationRuntime {
    const runtime = this.#runtimes.get(id)
    if (runtime === undefined) throw new SpacedriveError('LOCATION_NOT_FOUND', `there is no location ${id}`)
    return runtime
  }

  /** The locations of a library that was opened. */
  #takeUp(library: Library): void {
    if (!this.#started) return
    for (const location of readLocations(library)) {
      if (!this.#runtimes.has(location.id)) void this.#runtimeOf(library, location).start()
    }
  }

  #runtimeOf(library: Library, location: Parameters<typeof indexLocation>[0]): LocationRuntime {
    const init: RuntimeInit = {
      ...this.#init,
      job: this.#job,
      partJob: this.#partJob,
      outer: runtime => outerOf(runtime, this.#runtimes.values()),
      watchChanged: runtime => this.#watchChanged(runtime)
    }
    const runtime = new LocationRuntime(init, library, location)
    this.#runtimes.set(location.id, runtime)
    for (const arrived of this.#arrivals.splice(0)) arrived()
    return runtime
  }

  /** Before its database is closed: watches end, jobs rest until it is open again. */
  async #letGo(library: Library): Promise<void> {
    const mine = [...this.#runtimes.values()].filter(r => r.record.library === library)
    for (const runtime of mine) {
      this.#runtimes.delete(runtime.record.id)
      for (const job of runtime.looks.atWork()) {
        if (job.state !== 'paused')
          await this.#init.jobs.pause(job.id, { because: 'its library is closed' }).catch(ended)
      }
      await runtime.stop()
    }
  }

  async #prepare(
    library: LibraryId,
    id: LocationId,
    { missed, signal }: { missed: boolean; signal: AbortSignal }
  ): Promise<{ library: Library; location: IndexLocation }> {
    const limit = deadline(PREPARE_TIMEOUT_MS, 'waiting for the library to be open', signal)
    try {
      while (!this.#runtimes.has(id)) {
        const opened = [this.#init.libraries.own, ...this.#init.libraries.opened()].find(l => l.id === library)
        if (this.#started && opened !== undefined && readLocation(opened, id) === undefined) {
          throw new SpacedriveError('LOCATION_NOT_FOUND', 'the location was removed')
        }
        await raceSignal(new Promise<void>(resolve => this.#arrivals.push(resolve)), limit.signal)
      }
      const runtime = this.#runtimes.get(id)!
      await runtime.check()
      await runtime.ready(limit.signal)
      await runtime.looks.giveWay()
      if (missed) runtime.looks.missed()
      runtime.record.refresh()
      return { library: runtime.record.library, location: indexLocation(runtime.record.location) }
    } finally {
      limit.clear()
    }
  }

  #watchChanged(changed: LocationRuntime): void {
    for (const runtime of this.#runtimes.values()) {
      if (runtime !== changed && isWithin(runtime.path, changed.path)) void runtime.ensureWatch()
    }
  }

  #heard(event: AnyEvent): void {
    if (event.type.startsWith('volume:')) {
      for (const runtime of this.#runtimes.values()) void runtime.check()
    } else if (event.type === 'job:started' || event.type === 'job:resumed' || event.type === 'job:paused') {
      if (event.kind !== this.#job.kind) return
      const activity = event.type === 'job:paused' ? 'paused' : 'scanning'
      const runtime = [...this.#runtimes.values()].find(r => r.looks.live().some(j => j.id === event.job))
      runtime?.save({ activity }).catch(err => {
        this.#init.log.warn('an activity was not stored', { error: toError(err).message })
      })
    }
  }

  #schedule(): void {
    if (!this.#started) return
    this.#timer = this.#init.clock.timer(() => {
      for (const runtime of this.#runtimes.values()) void runtime.check()
      this.#schedule()
    }, ROOT_CHECK_MS)
  }
}

/** Jobs that ended by themselves in this very moment are as good as stopped. */
function ended(err: unknown): void {
  if (!hasCode(err, 'JOB_STATE', 'JOB_UNKNOWN', 'STOPPED')) throw err
}
