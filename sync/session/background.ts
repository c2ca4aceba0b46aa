import type { AbsPath, Clock, EventBus, JobId, Logger, Random, RelPath, Startable } from '../../storage/base/index.js'
import type { JobOutcome } from '../../storage/jobs/index.js'
import type { Watcher } from '../../storage/watcher/index.js'
import type { FarEnds } from './far-ends.js'
import { farEnd, type Sync } from './record.js'
import type { RunReport } from './report.js'
import type { NotDone, RunOptions } from './runs.js'
import { StandingSync, type Whole } from './standing.js'
import type { Standing } from './status.js'
import { watchFar } from './watch-far.js'

/** A new sync rests for a moment: who added it may want to see `sync plan` first, or to run it himself. */
export const ADD_GRACE_MS = 2_000

export interface BackgroundInit {
  readonly watcher: Watcher
  readonly clock: Clock
  readonly random: Random
  readonly events: EventBus
  readonly log: Logger
  list(): readonly Sync[]
  find(uuid: string): Sync | undefined
  run(uuid: string, options: RunOptions): Promise<RunReport | NotDone>
  begin(sync: Sync): Promise<Whole>
  outcome(job: JobId, options: { signal: AbortSignal }): Promise<JobOutcome>
  unsettled(sync: Sync): readonly RelPath[]
  isNetwork(path: AbsPath): Promise<boolean>
  /** What this sync does by itself may be otherwise now. */
  changed(uuid: string): void
  /** The way to other devices, once there is one. */
  far(): FarEnds | undefined
}

/** The syncs that run by themselves: all that are neither manual nor paused, while the daemon runs. */
export class Background implements Startable {
  readonly #init: BackgroundInit
  readonly #standing = new Map<string, StandingSync>()
  readonly #graces = new Map<string, { clear(): void }>()
  #off: (() => void)[] = []
  #running = false

  constructor(init: BackgroundInit) {
    this.#init = init
  }

  async start(): Promise<void> {
    this.#running = true
    const { events } = this.#init
    const nudge = (): void => {
      for (const one of this.#standing.values()) one.nudge()
    }
    this.#off = (['volume:added', 'volume:removed', 'volume:changed'] as const).map(type => events.on(type, nudge))
    // What it waited for is there, or will not come.
    for (const type of ['device:connected', 'device:troubled'] as const)
      this.#off.push(
        events.on(type, ({ device }) => {
          for (const sync of this.#init.list())
            if (farEnd(sync)?.device === device) this.#standing.get(sync.uuid)?.nudge()
        })
      )
    for (const sync of this.#init.list()) this.stand(sync)
  }

  async stop(): Promise<void> {
    this.#running = false
    for (const off of this.#off) off()
    for (const timer of this.#graces.values()) timer.clear()
    this.#graces.clear()
    const all = [...this.#standing.values()]
    this.#standing.clear()
    await Promise.all(all.map(one => one.stop()))
  }

  /** @param graceMs - first rests so long */
  stand(sync: Sync, graceMs = 0): void {
    const { uuid } = sync
    const agreed = sync.agreement === undefined || sync.agreement === 'accepted'
    if (!this.#running || sync.manual || sync.paused || !agreed || this.#standing.has(uuid) || this.#graces.has(uuid))
      return
    if (graceMs > 0) {
      const timer = this.#init.clock.timer(() => {
        this.#graces.delete(uuid)
        const now = this.#init.find(uuid)
        if (now !== undefined) this.stand(now)
      }, graceMs)
      this.#graces.set(uuid, timer)
      return
    }
    const { watcher, clock, random, log, find, run, begin, outcome, unsettled, isNetwork, changed, far } = this.#init
    const now = (): Sync => find(uuid) ?? sync
    const one = new StandingSync({
      ...{ watcher, clock, random, log, isNetwork },
      watchFar: (end, listener) => watchFar(far(), uuid, end, listener),
      find: () => find(uuid),
      run: options => run(uuid, options),
      begin: () => begin(now()),
      outcome: (job, signal) => outcome(job, { signal }),
      unsettled: () => unsettled(now()),
      changed: () => changed(uuid)
    })
    this.#standing.set(uuid, one)
    one.start(() => {
      if (this.#standing.get(uuid) === one) this.#standing.delete(uuid)
      changed(uuid)
    })
  }

  /** From now on it does nothing by itself; what goes on ends cleanly. */
  async rest(uuid: string): Promise<void> {
    this.#graces.get(uuid)?.clear()
    this.#graces.delete(uuid)
    const one = this.#standing.get(uuid)
    this.#standing.delete(uuid)
    await one?.stop()
  }

  /** A person ran it: what it waited for may be over. */
  nudge(uuid: string): void {
    this.#standing.get(uuid)?.nudge()
  }

  state(uuid: string): Standing {
    return this.#standing.get(uuid)?.state ?? { state: 'off', working: false, note: undefined }
  }
}
