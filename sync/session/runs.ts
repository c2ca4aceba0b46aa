import {
  type AbortOptions,
  type AbsPath,
  type Clock,
  type EventBus,
  errorCode,
  hasCode,
  newUuid,
  type Random,
  type RelPath,
  type SpacedriveError,
  toError,
  type WorkerPool
} from '../../storage/base/index.js'
import type { Database } from '../../storage/sql/index.js'
import { ENDS, type End, MAX_REPLACE_PERCENT } from '../reconcile/index.js'
import { type FarEnds, WAITING_CODES } from './far-ends.js'
import { type IdentityHalt, knownCounters } from './guard.js'
import { haltedReport } from './halting.js'
import { lastRun } from './last-runs.js'
import { type Loan, withLoan } from './loan.js'
import { endKey, farEnd, type Sync } from './record.js'
import { endedReport, isDiskError, type RunReport, reportOf } from './report.js'
import { type EndComponents, openRoots, type RootsComponents, SureRoots } from './roots.js'
import { type Halted, haltedBy, hasNews, PUT_BACK, together } from './run-outcome.js'
import { RunProgress } from './run-progress.js'
import { runSession, type SessionInit, type SessionOutcome } from './session.js'
import type { Snapshots } from './snapshots.js'
import { syncWrites } from './syncs.worker.js'
import { type TakeOptions, Turns } from './turns.js'
import type { Vectors } from './vectors.js'
import { waitForDevice } from './wait-for-device.js'

export interface RunsInit extends EndComponents {
  /** The instance database. */
  readonly db: Database
  readonly pool: WorkerPool
  readonly clock: Clock
  readonly random: Random
  readonly events: EventBus
  readonly snapshots: Snapshots
  readonly vectors?: Vectors | undefined
  deviceName(): string
  /** The way to other devices, once there is one. */
  far?(): FarEnds | undefined
}

export type RunOptions = Pick<
  SessionInit,
  'signal' | 'hints' | 'more' | 'planHash' | 'acceptRollback' | 'onPhase' | 'onScan' | 'onProgress' | 'onVersions'
> & {
  readonly force?: boolean | undefined
  /** Nobody waits for it: what changed nothing and says nothing new leaves no row. */
  readonly background?: boolean | undefined
  /** How it waits for its turn; it holds nothing while it does. */
  waiting?(turn: Promise<void>): Promise<void>
  /** Renamed folders that were not looked into: hints for another session, right after this one. */
  onLater?(later: Readonly<Record<End, readonly RelPath[]>>): void
}

export type TurnOptions = AbortOptions & Pick<RunOptions, 'waiting'>

/** What was asked for with `planHash` is not what would be done now; `more` left the plan to another run; or nothing was new. */
export type NotDone =
  | { readonly state: 'other-plan'; readonly planHash: string }
  | { readonly state: 'left' }
  | { readonly state: 'idle' }

type SessionOptions = Omit<RunOptions, 'force' | 'background' | 'waiting'> &
  Pick<SessionInit, 'run' | 'force' | 'planOnly'>

/** Runs sessions, those of one root one after the other, and writes down what they came to. */
export class Runs {
  readonly #init: RunsInit
  readonly #turns = new Turns()
  readonly #roots: RootsComponents

  constructor(init: RunsInit) {
    this.#init = init
    const sure = new SureRoots()
    this.#roots = { ...init, sure }
    for (const type of ['volume:added', 'volume:removed', 'volume:changed'] as const)
      init.events.on(type, () => sure.clear())
  }

  /** Plans and stops there. @throws what a session throws */
  plan(sync: Sync, options: AbortOptions = {}): Promise<Extract<SessionOutcome, { state: 'planned' | 'refused' }>> {
    return this.#inTurn(sync, options, async () => {
      const outcome = await this.#session(sync, { ...options, planOnly: true, run: this.#newRun() })
      if (outcome.state !== 'planned' && outcome.state !== 'refused') throw new TypeError('a plan was asked for')
      return outcome
    })
  }

  /** @param find - the sync as it is when its turn has come @throws what a session throws, after it was written down */
  run(find: () => Sync, options: RunOptions = {}): Promise<RunReport | NotDone> {
    return this.#inTurn(find(), options, async () => {
      const first = await this.#run(find(), options)
      const { background, planHash, signal } = options
      const again = 'problems' in first && first.rulesChanged === true && background !== true && planHash === undefined
      if (!again || signal?.aborted === true) return first
      // Who runs it by hand is not left with what the old rules left out; by itself it sees that they changed.
      const { force: _said, ...rest } = options
      const next = await this.#run(find(), rest)
      return 'problems' in next ? together(first, next) : first
    })
  }

  /** Does something while no session goes on at the roots of a sync. */
  async alone<T>(sync: Sync, work: () => Promise<T>): Promise<T> {
    return this.#inTurn(sync, {}, work)
  }

  /** Ends of a sync and its snapshot, for something else than a session, in its turn. @throws {SpacedriveError} ROOT_AWAY */
  lend<T>(sync: Sync, which: readonly End[], options: TurnOptions, work: (loan: Loan) => Promise<T>): Promise<T> {
    return this.#inTurn(sync, options, () =>
      withLoan({ ...this.#init, roots: this.#roots }, sync, which, options, work)
    )
  }

  /** A turn at one folder of this device. @returns ends it */
  turn(path: AbsPath, options: TakeOptions): Promise<() => void> {
    return this.#turns.take([path], options)
  }

  async #inTurn<T>(sync: Sync, { signal, waiting }: TurnOptions, work: () => Promise<T>): Promise<T> {
    const roots = [endKey(sync.source), endKey(sync.destination)]
    // Who waits in a way of his own gets his turn between two others: he would hold up those behind him while he waits on.
    if (waiting !== undefined)
      while (roots.some(root => this.#turns.busy(root))) await waiting(this.#turns.free(roots, { signal }))
    const end = await this.#turns.take(roots, { signal })
    try {
      return await work()
    } finally {
      end()
    }
  }

  async #run(sync: Sync, { force, background = false, ...options }: RunOptions): Promise<RunReport | NotDone> {
    const { clock, events } = this.#init
    const { name, uuid } = sync
    const began = { atMs: clock.nowMs(), monotonicMs: clock.monotonicMs(), run: this.#newRun() }
    const { run } = began
    const duration = (): number => Math.round(clock.monotonicMs() - began.monotonicMs)
    const told = new RunProgress({ clock, events, uuid, name, run }, options)
    if (!background) {
      told.start()
      await waitForDevice(this.#init, sync, options)
    }
    let report: RunReport
    let halted: Halted = 'as-it-was'
    try {
      const outcome = await this.#twice(sync, {
        ...options,
        ...{ run, ...(force === true && sync.halted !== undefined && { force: sync.halted }) },
        ...{ onProgress: told.onProgress, onVersions: told.onVersions }
      })
      if (outcome.state === 'other-plan') return { state: 'other-plan', planHash: outcome.plan.hash }
      if (outcome.state === 'planned') return { state: 'left' }
      if (outcome.state === 'idle') return outcome
      if (outcome.state === 'done') options.onLater?.(outcome.later)
      report = reportOf(sync, outcome, duration())
      if (outcome.state === 'done' && outcome.rulesChanged) report = { ...report, rulesChanged: true }
      if (report.ignored === undefined && outcome.state === 'done' && !outcome.plan.whole) {
        // Only what changed was compared: the rules are what they were.
        const ignored = lastRun(this.#init.db, sync)?.report?.ignored
        if (ignored !== undefined) report = { ...report, ignored }
      }
      halted = haltedBy(outcome, sync, background)
      if (outcome.state === 'done' && outcome.union && sync.mode === 'mirror') {
        await this.#init.db.write(syncWrites.pause, { id: sync.id, because: PUT_BACK })
        report = { ...report, notes: [`${name} is paused: ${PUT_BACK}`] }
      }
    } catch (err) {
      const cancelled = options.signal?.aborted === true
      const waits = !cancelled && WAITING_CODES.has(errorCode(err))
      const how = cancelled ? 'cancelled' : waits ? 'waiting' : 'failed'
      const ended = endedReport(name, how, toError(err) as SpacedriveError, duration())
      const far = farEnd(sync)?.at
      report = how === 'failed' ? haltedReport(ended, err, far && this.#nameAt(sync, far)) : ended
      report = { ...report, operations: told.operations, bytesTransferred: told.bytes }
      await this.#record(sync, began, report, 'as-it-was', background)
      if (report.state !== 'halted' && report.state !== 'waiting') throw err
      this.#tell(sync, run, report)
      return report
    }
    const news = await this.#record(sync, began, report, halted, background)
    if (news || told.started) this.#tell(sync, run, report)
    return report
  }

  /** An error of the disk: all of it is staged again from its source, once. @throws what a session throws */
  async #twice(sync: Sync, options: SessionOptions): Promise<SessionOutcome> {
    const first = await this.#session(sync, options).catch(err => {
      if (!hasCode(err, 'DISK_ERROR') || options.signal?.aborted === true) throw err
    })
    if (first !== undefined && !(first.state === 'done' && first.result.problems.some(isDiskError))) return first
    const second = await this.#session(sync, options)
    if (first?.state !== 'done' || second.state !== 'done') return second
    const { operations, bytes } = first.result
    const { result } = second
    return {
      ...second,
      result: { ...result, operations: operations + result.operations, bytes: bytes + result.bytes }
    }
  }

  /** One session over freshly opened ends. @throws what a session throws */
  async #session(sync: Sync, options: SessionOptions): Promise<SessionOutcome> {
    const { db, pool, clock, random, snapshots, vectors } = this.#init
    const { signal } = options
    signal?.throwIfAborted()
    const opened = await openRoots(this.#roots, sync, knownCounters(db, sync.id).roots, { signal })
    if ('halt' in opened) return { state: 'refused', guard: opened.halt satisfies IdentityHalt }
    const { ends, renewed } = opened
    try {
      return await snapshots.use(sync.uuid, async snapshot => {
        const outcome = await runSession({
          ...options,
          ...{ db, snapshot, dir: snapshots.dirOf(sync.uuid), pool, clock, random, ends, vectors },
          sync: {
            ...{ id: sync.id, uuid: sync.uuid, mode: sync.mode, policy: sync.policy, ignore: sync.ignore },
            limits: { maxDeletePercent: sync.maxDeletePercent, maxReplacePercent: MAX_REPLACE_PERCENT },
            devices: { source: this.#nameAt(sync, 'source'), destination: this.#nameAt(sync, 'destination') }
          }
        })
        // Only what passed the guards is remembered as the folder from now on.
        if (outcome.state === 'done')
          for (const end of ENDS)
            if (renewed[end] !== undefined)
              await db.write(syncWrites.renew, { id: sync.id, end, value: JSON.stringify(renewed[end]) })
        return outcome
      })
    } finally {
      for (const end of ENDS) await ends[end].close()
    }
  }

  /** Which device the content of an end comes from. */
  #nameAt(sync: Sync, end: End): string {
    const { far, deviceName } = this.#init
    const { device } = sync[end]
    return device === null ? deviceName() : (far?.()?.nameOf(device) ?? device)
  }

  /** @returns whether there was anything to say */
  async #record(
    sync: Sync,
    { run, atMs }: { run: string; atMs: number },
    report: RunReport,
    halted: Halted,
    background: boolean
  ): Promise<boolean> {
    const { db, clock } = this.#init
    const nothing = report.operations === 0
    if (report.state === 'cancelled' && nothing) return false
    const last = lastRun(db, sync)
    const same = last?.state === report.state && last.report?.reason === report.reason && !hasNews(report, last.report)
    if (background && nothing && same && (halted === 'as-it-was' || sync.halted === undefined)) return false
    await db.write(syncWrites.ran, {
      run: {
        ...{ id: run, sync: sync.id, beganAt: atMs, endedAt: clock.nowMs(), state: report.state },
        result: JSON.stringify(report)
      },
      halted: halted === 'as-it-was' ? undefined : halted
    })
    return true
  }

  #tell({ uuid: sync, name }: Sync, run: string, { state, reason, operations, conflicts }: RunReport): void {
    const { events } = this.#init
    for (const { path, resolution } of conflicts)
      if (resolution === 'waiting') events.emit('sync:conflicted', { sync, name, path })
    if (state === 'halted') events.emit('sync:halted', { sync, name, reason: reason ?? 'halted' })
    events.emit('sync:finished', { sync, name, run, state, operations })
  }

  #newRun(): string {
    return newUuid(this.#init.clock.nowMs(), this.#init.random)
  }
}
