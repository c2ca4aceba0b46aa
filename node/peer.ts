import type { Agreements, Questions } from '../protocols/agreements/index.js'
import type { Messaging } from '../protocols/messaging/index.js'
import type { RateLimits } from '../protocols/pace/index.js'
import type { Pairing } from '../protocols/pairing/index.js'
import type { Grants, Replicas } from '../protocols/replica/index.js'
import type { SpacedropService } from '../protocols/spacedrop/index.js'
import type { TransferService } from '../protocols/transfer/index.js'
import type { Audit } from '../storage/audit/index.js'
import type { AbsPath, Clock, EventBus, Logger, Random, Startable, WorkerPool } from '../storage/base/index.js'
import type { Files } from '../storage/files/index.js'
import type { Indexer } from '../storage/indexer/index.js'
import type { InstanceDatabase } from '../storage/instance/index.js'
import type { JobManager } from '../storage/jobs/index.js'
import type { LibraryManager } from '../storage/libraries/index.js'
import type { Locations } from '../storage/locations/index.js'
import type { Search } from '../storage/search/index.js'
import type { Trash } from '../storage/trash/index.js'
import type { Volumes } from '../storage/volumes/index.js'
import type { Watcher } from '../storage/watcher/index.js'
import type { IndexPlaces } from '../sync/analysis/index.js'
import type { Copies, RemoteCopies } from '../sync/copy/index.js'
import type { SyncHistory } from '../sync/history/index.js'
import type { FarOperations, FileOperations } from '../sync/operations/index.js'
import type { ServedSyncs, SyncRules } from '../sync/serving/index.js'
import type { FarEnds, Syncs } from '../sync/session/index.js'
import type { Config, Settings } from './config/index.js'
import type { DeviceRegistry, LocalDevice } from './devices/index.js'
import type { IdentityStore } from './identity/index.js'
import type { Network } from './network/index.js'

/** Who runs the peer: the daemon, or a program that uses it as a library. */
export interface Host {
  readonly kind: 'daemon' | 'library'
  readonly startedAtMs: number
  /** Stops everything; resolves when the peer has stopped. */
  stop(reason: string): Promise<void>
  /** How long turns of the event loop took since the start, in milliseconds. */
  loopDelay(): LoopDelay | undefined
}

export interface LoopDelay {
  readonly p50: number
  readonly p99: number
  readonly p999: number
  readonly max: number
}

/** There from the first moment. */
export interface Ground {
  readonly dataDir: AbsPath
  readonly host: Host
  /** What holds now; a getter, since `config set` changes it. */
  readonly config: Config
  readonly settings: Settings
  readonly log: Logger
  readonly clock: Clock
  readonly random: Random
  readonly password: () => Promise<string | undefined>
  readonly events: EventBus
  readonly pool: WorkerPool
  readonly instance: InstanceDatabase
}

/** What works without a network. */
export interface LocalParts {
  /** Where files get and lose their names. */
  readonly files: Files
  readonly volumes: Volumes
  readonly libraries: LibraryManager
  readonly indexer: Indexer
  readonly search: Search
  readonly jobs: JobManager
  readonly locations: Locations
  /** What the indexes know of folders and files. */
  readonly known: IndexPlaces
  /** What was deleted or replaced, for as long as it is kept. */
  readonly trash: Trash
  /** What changed files here. */
  readonly audit: Audit
  /** Deleting, duplicates, validation. */
  readonly operations: FileOperations
  /** Copying and moving files. */
  readonly copies: Copies
  /** Folders of this device that are kept in step. */
  readonly syncs: Syncs
  /** Those that other devices drive, of which one end lies here. */
  readonly served: ServedSyncs
  /** What they did, and the way back. */
  readonly history: SyncHistory
  /** Tells the syncs the way to other devices, once there is one. */
  reachFar(way: FarEnds): void
  /** Sees what changes in folders. */
  readonly watcher: Watcher
  /** The key of this device; may be locked, or not there yet. */
  readonly identity: IdentityStore
  readonly devices: DeviceRegistry
  /** What this device tells of itself. */
  readonly self: LocalDevice
}

/** What speaks with other devices. */
export interface RemoteParts {
  /** The own node; off, locked or failed where it cannot be on: nothing else depends on it. */
  readonly network: Network
  /** Twelve words: codes shown here, codes typed here. */
  readonly pairing: Pairing
  /** Small messages and their outbox; other protocols register their kinds here before the start. */
  readonly messages: Messaging
  /** Moves content between devices; what is to move, other protocols say. */
  readonly transfers: TransferService
  /** Files, folders and texts offered by and to paired devices. */
  readonly drops: SpacedropService
  /** How fast content goes to and from other devices. */
  readonly limits: RateLimits
  /** Which folders of this device others may reach. */
  readonly grants: Grants
  /** Folders of paired devices, and those of this one for them. */
  readonly replicas: Replicas
  /** Copying and moving files between devices. */
  readonly remoteCopies: RemoteCopies
  /** Deleting and looking on other devices. */
  readonly far: FarOperations
  /** Syncs with folders of other devices: asked for, accepted, ended. */
  readonly agreements: Agreements
  /** Which of them are accepted without asking. */
  readonly syncRules: SyncRules
  /** Of the serving side of a sync to the one that drives it. */
  readonly questions: Questions
}

/** A running peer: every part by name. Operations reach everything through it. */
export interface Peer extends Ground, LocalParts, RemoteParts, Startable {
  /**
   * How much of it is there: the ground; the local parts, too; all. Operations are run when all is there, but for those of
   * `system.`, which tell of a daemon that is still starting and look here first.
   */
  readonly stage: 'ground' | 'local' | 'whole'
  /** Resolves when the data of this device is open: what could keep a peer from starting is over. Rejects when it does not. */
  readonly ready: Promise<void>
  /** Resolves when every part is there and has started, the network aside, which may take its time. Rejects when one could not. */
  readonly whole: Promise<void>
  /** Aborted at the first step of stopping: what waits for something gives up. */
  readonly stopping: AbortSignal
}
