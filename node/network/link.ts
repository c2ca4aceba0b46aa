import type { Connection } from '@libp2p/interface'
import type { Control, HelloInfo } from '../../protocols/hello/index.js'
import type { Clock, DeviceId, Logger, Random } from '../../storage/base/index.js'
import type { DeviceRegistry } from '../devices/index.js'
import type { Admission } from './admission.js'
import type { Session } from './session.js'
import type { Twins } from './twins.js'

export interface LinksInit {
  readonly local: DeviceId
  readonly devices: DeviceRegistry
  readonly admission: Admission
  readonly twins: Twins
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  info(): HelloInfo
  /** A device that had no session has one, or lost its last. */
  onConnected(session: Session): void
  onDisconnected(session: Session, reason: unknown): void
  onSession(session: Session, info: HelloInfo): void
  onUpdate(session: Session, message: Control): void
  /** A pairing on a connection is over and its device is saved; the hello follows on the same connection. */
  onPaired(device: DeviceId): void
}

/** One connection. */
export interface Link {
  readonly connection: Connection
  readonly device: DeviceId
  readonly dialled: boolean
  /** Pairing streams that are open on it; while there are any it needs no hello. */
  pairing: number
  session: Session | undefined
  /** Resolves when the hello is done, rejects when the connection ends first. */
  readonly ready: Promise<Session>
  readonly closed: AbortSignal
}
