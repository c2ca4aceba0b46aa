import { join } from 'node:path'
import {
  type AbortOptions,
  type AbsPath,
  type DeviceId,
  displayPath,
  type JobId,
  newUuid,
  type RelPath,
  SpacedriveError
} from '../../storage/base/index.js'
import { type JobSummary, shortJobId } from '../../storage/jobs/index.js'
import type { Database } from '../../storage/sql/index.js'
import type { End } from '../reconcile/index.js'
import { ensureApart, ensureName, ensureNoCopy, ensureReachable, placeOf } from './add-checks.js'
import { ADD_GRACE_MS, Background } from './background.js'
import { reachFar } from './far-ends.js'
import { historySerial, type SyncJobInit, syncJob, syncSerial } from './job.js'
import { type LastRun, lastRun, lastRuns } from './last-runs.js'
import { LeftEnds } from './left-ends.js'
import type { Loan } from './loan.js'
import { keyPath } from './path-key.js'
import { MAX_PENDING_HINTS } from './pending.js'
import { planning, type ShownPlan } from './plan.worker.js'
import { farEnd, type RawSync, type Sync, type SyncEnd, type SyncSpec, syncOf } from './record.js'
import { describeEnd } from './roots.js'
import { Runs, type TurnOptions } from './runs.js'
import type { SessionOutcome } from './session.js'
import { Snapshots } from './snapshots.js'
import type { Whole } from './standing.js'
import { type Standing, type SyncStatus, statusOf } from './status.js'
import { StatusChanges } from './status-changes.js'
import type { FarAnswer, RunAsked, Syncs, SyncsInit } from './syncs.js'
import { syncWrites } from './syncs.worker.js'
import { tidyEnds } from './tidy-ends.js'
import type { TakeOptions } from './turns.js'
import { whenThere } from './wait-for-device.js'

/** Shown of a plan unless more is asked for. */
const SHOWN_OPERATIONS = 200
const LIVE = ['queued', 'running', 'paused'] as const

/** The syncs of a device, with what runs them. */
export function syncs(init: SyncsInit): Syncs {
  return new SyncList(init)
}

class SyncList implements Syncs {
  readonly #init: SyncsInit
  readonly #snapshots: Snapshots
  readonly #runs: Runs
  readonly #job: ReturnType<typeof syncJob>
  readonly background: Background
  readonly #changes: StatusChanges
  readonly leftEnds: LeftEnds

  constructor(init: SyncsInit) {
    this.#init = init
    this.#snapshots = new Snapshots(init.dataDir, init.clock)
    this.#runs = new Runs({ ...init, snapshots: this.#snapshots })
    const run: SyncJobInit['run'] = (uuid, options) => this.#runs.run(() => this.#byUuid(uuid), options)
    this.#job = syncJob({
      run: (uuid, options) =>
        run(uuid, options).finally(() => {
          if (options.background !== true) this.background.nudge(uuid)
        })
    })
    init.jobs.register(this.#job)
    this.leftEnds = new LeftEnds({ ...init, runs: this.#runs })
    this.#changes = new StatusChanges({
      events: init.events,
      list: () => this.list(),
      find: uuid => this.#findByUuid(uuid),
      status: sync => this.status(sync),
      standing: sync => this.standing(sync)
    })
    this.background = new Background({
      changed: uuid => this.#changes.look(uuid),
      ...{ ...init, run },
      list: () => this.list(),
      find: uuid => this.#findByUuid(uuid),
      begin: async sync => this.#beginWhole(sync),
      outcome: (job, options) => init.jobs.outcome(job, options),
      unsettled: ({ id }) => unsettledPaths(init.db, id),
      isNetwork: async path => (await init.placementOf(path))?.volume.network ?? false,
      far: () => init.far?.()
    })
  }

  async start(): Promise<void> {
    await this.#init.db.write(syncWrites.interrupted, { at: this.#init.clock.nowMs() })
    await this.#changes.start()
    this.leftEnds.start()
  }

  async stop(): Promise<void> {
    await this.leftEnds.stop()
    await this.#changes.stop()
    await this.#snapshots.close()
  }

  async add(spec: SyncSpec, options: AbortOptions = {}): Promise<Sync> {
    const { db, clock, random, events } = this.#init
    const { name, mode, policy, ignore, maxDeletePercent, manual, versions } = spec
    const others = this.list()
    ensureName(name, others)
    const far = ensureReachable(spec, this.#init.far?.())
    const source = await this.#describe(spec.source, options)
    ensureApart(source, placeOf(spec.destination), mode, others)
    const destination = await this.#describe(spec.destination, { create: true, ...options })
    ensureApart(source, destination, mode, others)
    if (far === undefined) await ensureNoCopy(this.#init, { source, destination }, options)
    await db.write(syncWrites.add, {
      ...{ uuid: newUuid(clock.nowMs(), random), name, mode, policy },
      ...{ source: JSON.stringify(source), destination: JSON.stringify(destination) },
      ...{ options: JSON.stringify({ ignore, maxDeletePercent, manual, versions }), addedAt: clock.nowMs() },
      agreement: far === undefined ? null : 'asked'
    })
    const sync = this.find(name)
    events.emit('sync:added', { sync: sync.uuid, name })
    if (far === undefined) this.background.stand(sync, ADD_GRACE_MS)
    else await far.ask(sync)
    return sync
  }

  list(): readonly Sync[] {
    return this.#init.db.all<RawSync>('SELECT * FROM syncs ORDER BY name').map(syncOf)
  }

  find(name: string): Sync {
    const raw = this.#init.db.get<RawSync>('SELECT * FROM syncs WHERE name = ?', [name])
    if (raw !== undefined) return syncOf(raw)
    throw notFound(name)
  }

  lastRun(sync: Sync): LastRun | undefined {
    return lastRun(this.#init.db, sync)
  }

  lastRuns(sync: Sync, limit: number): readonly LastRun[] {
    return lastRuns(this.#init.db, sync, limit)
  }

  begin(sync: Sync, asked: RunAsked = {}): Promise<JobId> {
    return this.#dispatch(sync, asked, false)
  }

  status(sync: Sync): SyncStatus {
    const job = this.#jobsOf(sync)[0] ?? this.#jobsOf(sync, historySerial)[0]
    const running = job && { phase: job.phase, job: shortJobId(job.id), paused: job.state === 'paused' }
    const far = farEnd(sync)
    const device = far && (this.#init.far?.()?.nameOf(far.device) ?? far.device)
    return statusOf({ sync, running, device, last: this.lastRun(sync), standing: this.standing(sync) })
  }

  standing({ uuid }: Sync): Standing {
    return this.background.state(uuid)
  }

  plan(sync: Sync, options: AbortOptions = {}): Promise<Extract<SessionOutcome, { state: 'planned' | 'refused' }>> {
    return this.#runs.plan(sync, options)
  }

  async planned({ uuid }: Sync, { limit = SHOWN_OPERATIONS } = {}): Promise<ShownPlan> {
    const dir = this.#snapshots.dirOf(uuid)
    const files = { planFile: join(dir, 'plan.db'), snapshotFile: join(dir, 'snapshot.db') }
    return this.#init.pool.run(planning.shown, { ...files, limit })
  }

  async answered(device: DeviceId, uuid: string, answer: FarAnswer): Promise<void> {
    const sync = this.#findByUuid(uuid)
    const far = sync && farEnd(sync)
    if (sync === undefined || far?.device !== device) return
    const { db, events } = this.#init
    if (answer.agreement !== 'accepted') {
      await db.write(syncWrites.answered, { id: sync.id, agreement: answer.agreement })
      await this.background.rest(uuid)
      await this.#endJobs(sync)
      if (answer.agreement === 'declined')
        events.emit('sync:declined', { sync: uuid, name: sync.name, device, by: 'them' })
      return
    }
    // What was accepted once is not moved by a later message: it is removed, and added anew.
    if (sync.agreement !== 'asked') return
    const { path, inode, birthNs } = answer
    const value: SyncEnd = { ...sync[far.at], path, inode, birthNs }
    const accepted = { id: sync.id, agreement: 'accepted', far: { end: far.at, value: JSON.stringify(value) } } as const
    await db.write(syncWrites.answered, accepted)
    events.emit('sync:accepted', { sync: uuid, name: sync.name, device, by: 'them' })
    this.background.stand(this.#byUuid(uuid), ADD_GRACE_MS)
  }

  async forget(device: DeviceId): Promise<void> {
    for (const sync of this.list()) if (farEnd(sync)?.device === device) await this.#remove(sync)
  }

  turn(path: AbsPath, options: TakeOptions): Promise<() => void> {
    return this.#runs.turn(path, options)
  }

  async pause(sync: Sync, because?: string): Promise<void> {
    await this.#init.db.write(syncWrites.pause, { id: sync.id, because: because ?? null })
    await this.background.rest(sync.uuid)
    await this.#endJobs(sync)
    this.#changes.look(sync.uuid)
  }

  async resume({ id, uuid }: Sync): Promise<void> {
    await this.#init.db.write(syncWrites.resume, { id })
    this.background.stand(this.#byUuid(uuid))
    this.#changes.look(uuid)
  }

  lend<T>(sync: Sync, which: readonly End[], options: TurnOptions, work: (loan: Loan) => Promise<T>): Promise<T> {
    return this.#runs.lend(sync, which, options, work)
  }

  reach(sync: Sync, end: End, { kept, ...options }: { readonly kept?: boolean } & AbortOptions = {}) {
    const { device, path } = sync[end]
    if (device === null) return this.#init.open(path, options)
    const access = kept === true ? 'write' : 'read'
    return reachFar(this.#init.far?.(), { device, path, sync: sync.uuid, access }, options)
  }

  whenThere({ uuid }: Sync, options: AbortOptions = {}): Promise<void> {
    return whenThere(this.#init, () => this.#byUuid(uuid), options)
  }

  async remove(sync: Sync): Promise<void> {
    await this.#remove(sync)
    if (farEnd(sync) !== undefined) await this.#init.far?.()?.end(sync)
  }

  async #describe(at: SyncSpec['source'], options: { create?: boolean } & AbortOptions): Promise<SyncEnd> {
    if (typeof at === 'string') return describeEnd(this.#init, at, options)
    return { ...placeOf(at), inode: '', birthNs: '', volume: null, within: null }
  }

  async #remove(sync: Sync): Promise<void> {
    const { db, clock, events } = this.#init
    await this.background.rest(sync.uuid)
    await this.#endJobs(sync)
    await this.#endJobs(sync, historySerial)
    const left = await tidyEnds({ ...this.#init, runs: this.#runs }, sync)
    await this.#runs.alone(sync, async () => {
      await db.write(syncWrites.remove, { id: sync.id, left, nowMs: clock.nowMs() })
      await this.#snapshots.remove(sync.uuid)
    })
    events.emit('sync:removed', { sync: sync.uuid, name: sync.name })
  }

  async #dispatch({ uuid, name }: Sync, asked: RunAsked, background: boolean): Promise<JobId> {
    const { force = false, acceptRollback = false, planHash } = asked
    const input = { sync: uuid, name, force, acceptRollback, background }
    const { id } = await this.#init.jobs.dispatch(
      this.#job,
      { ...input, ...(planHash !== undefined && { planHash }) },
      { priority: background ? 'normal' : 'high' }
    )
    return id
  }

  async #beginWhole(sync: Sync): Promise<Whole> {
    const [going] = this.#jobsOf(sync)
    return { job: going?.id ?? (await this.#dispatch(sync, {}, true)), wentOn: going !== undefined }
  }

  #jobsOf({ uuid }: Sync, serial = syncSerial): readonly JobSummary[] {
    return this.#init.jobs.list({ serial: serial(uuid), states: LIVE })
  }

  /** One that ends by itself meanwhile is as good. */
  async #endJobs(sync: Sync, serial = syncSerial): Promise<void> {
    for (const { id } of this.#jobsOf(sync, serial)) await this.#init.jobs.cancel(id).catch(() => {})
  }

  #findByUuid(uuid: string): Sync | undefined {
    const raw = this.#init.db.get<RawSync>('SELECT * FROM syncs WHERE uuid = ?', [uuid])
    return raw && syncOf(raw)
  }

  #byUuid(uuid: string): Sync {
    const found = this.#findByUuid(uuid)
    if (found !== undefined) return found
    throw notFound(uuid)
  }
}

const notFound = (name: string): SpacedriveError =>
  new SpacedriveError('SYNC_NOT_FOUND', `there is no sync ${displayPath(name)}`, {
    hint: '`sync list` shows those there are.'
  })

/** Paths that the next session looks at again, as many as are looked at one by one. */
function unsettledPaths(db: Database, sync: number): RelPath[] {
  return db
    .all<{ path: Uint8Array }>('SELECT path FROM sync_unsettled WHERE sync = ? LIMIT ?', [sync, MAX_PENDING_HINTS])
    .map(({ path }) => keyPath(path))
}
