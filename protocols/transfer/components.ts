import type { AbsPath, Clock, DeviceId, EventBus, Logger, Random, WorkerPool } from '../../storage/base/index.js'
import type { Files } from '../../storage/files/index.js'
import type { InstanceDatabase } from '../../storage/instance/index.js'
import type { Pacing } from '../pace/index.js'
import type { PeerNetwork } from '../wire/index.js'
import type { ManifestStore } from './manifest/types.js'
import type { TransferRows } from './rows.js'
import type { Slots } from './slots.js'
import type { TransferTimings } from './timings.js'

/** What the service is given. */
export interface TransferComponents {
  readonly network: PeerNetwork
  readonly database: InstanceDatabase
  readonly pool: WorkerPool
  readonly files: Files
  readonly events: EventBus
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  /** The data directory: manifests and journals lie in `transfers/` below it. */
  readonly dataDir: AbsPath
  /** The name a device goes by, for messages. */
  readonly nameOf: (device: DeviceId) => string
  readonly timings?: Partial<TransferTimings>
  /** Limits of the rate of content; none unless given. */
  readonly pacing?: Pacing
}

/** What its runs share. */
export interface TransferParts extends Omit<TransferComponents, 'timings' | 'pacing'> {
  readonly pacing: Pacing
  readonly timings: TransferTimings
  readonly manifests: ManifestStore
  readonly rows: TransferRows
  /** What sends may run, and what receives: two devices that send to each other do not wait for one another. */
  readonly sendSlots: Slots
  readonly receiveSlots: Slots
}
