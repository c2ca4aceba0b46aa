import type {
  AbortOptions,
  AbsPath,
  Clock,
  ContentHash,
  DeviceId,
  EventBus,
  JobId,
  Logger
} from '../../../storage/base/index.js'
import type { Database } from '../../../storage/sql/index.js'
import type { IndexPlaces } from '../../analysis/index.js'
import type { Endpoint } from '../../endpoints/index.js'
import type { Place } from './input.js'

/** The way to folders of this device and of others. */
export interface Ends {
  /**
   * Opens a folder. @throws {SpacedriveError} MISSING, NOT_A_DIRECTORY, NO_PERMISSION, NOT_GRANTED; DEVICE_AWAY and the like
   * (`isAway`) where the device cannot be reached now
   */
  open(place: Place, access: 'read' | 'write', options?: AbortOptions): Promise<Endpoint>
  /** Where a device has files with this content that may be read from here. @throws DEVICE_AWAY and the like */
  find(device: DeviceId, hash: ContentHash, options?: AbortOptions): Promise<readonly AbsPath[]>
  nameOf(device: DeviceId): string
  isConnected(device: DeviceId): boolean
  /** Resolves when it is, also at once. Rejects when it was revoked. */
  whenConnected(device: DeviceId, options?: AbortOptions): Promise<unknown>
}

/** What a copy between devices needs of the rest of the program. */
export interface RemoteCopyComponents {
  readonly db: Database
  readonly clock: Clock
  readonly events: EventBus
  readonly log: Logger
  readonly ends: Ends
  /** The devices that may be asked for a content. */
  devices(): readonly DeviceId[]
  /** Where this device has it, as its indexes tell. */
  readonly index: Pick<IndexPlaces, 'copiesOf'>
  /** Lets a job rest until somebody resumes it. */
  pause(job: JobId, because: string): Promise<void>
}
