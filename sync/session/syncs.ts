import type {
  AbortOptions,
  AbsPath,
  Clock,
  DeviceId,
  EventBus,
  JobId,
  Logger,
  Random,
  Startable,
  WorkerPool
} from '../../storage/base/index.js'
import type { JobManager } from '../../storage/jobs/index.js'
import type { Database } from '../../storage/sql/index.js'
import type { Watcher } from '../../storage/watcher/index.js'
import type { Endpoint } from '../endpoints/index.js'
import type { End } from '../reconcile/index.js'
import type { FarEnds } from './far-ends.js'
import type { LastRun } from './last-runs.js'
import type { Loan } from './loan.js'
import type { ShownPlan } from './plan.worker.js'
import type { Sync, SyncEnd, SyncSpec } from './record.js'
import type { EndComponents } from './roots.js'
import type { RunOptions, TurnOptions } from './runs.js'
import type { SessionOutcome } from './session.js'
import type { Standing, SyncStatus } from './status.js'
import type { TakeOptions } from './turns.js'
import type { Vectors } from './vectors.js'

export interface SyncsInit extends EndComponents {
  /** The instance database. */
  readonly db: Database
  readonly dataDir: AbsPath
  readonly pool: WorkerPool
  readonly clock: Clock
  readonly random: Random
  readonly events: EventBus
  readonly log: Logger
  readonly jobs: Pick<JobManager, 'register' | 'dispatch' | 'list' | 'cancel' | 'outcome'>
  readonly watcher: Watcher
  /** Versions of folders that are in step with other devices. */
  readonly vectors?: Vectors | undefined
  deviceName(): string
  /** The way to other devices, once there is one. */
  far?(): FarEnds | undefined
}

export type RunAsked = Pick<RunOptions, 'force' | 'planHash' | 'acceptRollback'>

/** The syncs of this device. Sessions at one root take turns, others go on side by side. */
export interface Syncs extends Startable {
  /** Those that run by themselves; starts after the jobs. */
  readonly background: Startable
  /** What removed syncs left where a disk was away; looked for by itself when one comes, and at the start. */
  readonly leftEnds: { sweep(options?: AbortOptions): Promise<void> }
  /** @throws {SpacedriveError} SYNC_EXISTS, BAD_NAME, ENDS_OVERLAP, SAME_ROOT, and what opening the folders throws */
  add(spec: SyncSpec, options?: AbortOptions): Promise<Sync>
  list(): readonly Sync[]
  /** By name. @throws {SpacedriveError} SYNC_NOT_FOUND */
  find(name: string): Sync
  /** Newest first, of those that ended. */
  lastRuns(sync: Sync, limit: number): readonly LastRun[]
  /** The last session; what a person brought back or took back is none. */
  lastRun(sync: Sync): LastRun | undefined
  /** A run as a job: its output is the report, or another plan's hash. */
  begin(sync: Sync, asked?: RunAsked): Promise<JobId>
  /** What is the matter with it, and what to do. */
  status(sync: Sync): SyncStatus
  /** What it does by itself. */
  standing(sync: Sync): Standing
  /** @throws what a session throws */
  plan(sync: Sync, options?: AbortOptions): Promise<Extract<SessionOutcome, { state: 'planned' | 'refused' }>>
  /** What the last plan of a sync holds, and what it leaves as it is. */
  planned(sync: Sync, options?: { limit?: number | undefined }): Promise<ShownPlan>
  /** From now on only a command runs it; a session that goes on ends cleanly. @param because - of the program, in words */
  pause(sync: Sync, because?: string): Promise<void>
  resume(sync: Sync): Promise<void>
  /** Ends of a sync and its snapshot for something else than a session, in its turn. @throws {SpacedriveError} ROOT_AWAY */
  lend<T>(sync: Sync, which: readonly End[], options: TurnOptions, work: (loan: Loan) => Promise<T>): Promise<T>
  /**
   * An end to look at, wherever it lies; whether it is the folder that was synced nobody asks.
   * @param options.kept - to ask another device what it keeps there, too @throws what opening it throws
   */
  reach(sync: Sync, end: End, options?: { readonly kept?: boolean } & AbortOptions): Promise<Endpoint>
  /** Waits until the device at the other end can be asked again. @throws {SpacedriveError} SYNC_NOT_FOUND; `signal.reason` */
  whenThere(sync: Sync, options?: AbortOptions): Promise<void>
  /** Leaves files and versions where they are. */
  remove(sync: Sync): Promise<void>
  /** What the device at the other end has answered. From others than that one it is nothing. */
  answered(device: DeviceId, uuid: string, answer: FarAnswer): Promise<void>
  /** A device is revoked: its syncs end. */
  forget(device: DeviceId): Promise<void>
  /** Who changes a folder takes turns with the sessions of this device. @returns ends the turn */
  turn(path: AbsPath, options: TakeOptions): Promise<() => void>
}

export type FarAnswer =
  | ({ readonly agreement: 'accepted' } & Pick<SyncEnd, 'path' | 'inode' | 'birthNs'>)
  | { readonly agreement: 'declined' | 'ended' }
