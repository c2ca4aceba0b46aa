/**
 * What the protocols need of the network, as small interfaces; node/network fills them in. A protocol never sees libp2p's
 * node: it gets a stream and the session of a peer that has proven itself (hello), and asks for streams by device.
 */
import type { Stream } from '@libp2p/interface'
import type { AbortOptions, DeviceId } from '../../storage/base/index.js'

export type Direction = 'send' | 'receive'

/** One connection to a paired device after its hello. A new connection is a new session with new keys. */
export interface PeerSession {
  readonly device: DeviceId
  /** Unique for each connection of this run of the daemon. */
  readonly id: string
  /** What the other side can do, from its hello (`transfer/1`, ...). */
  readonly capabilities: ReadonlySet<string>
  /** Its wall clock minus ours, milliseconds, at the hello. */
  readonly clockOffsetMs: number
  /** Aborted when the connection ends, the device is revoked or the network stops; its reason says which. */
  readonly signal: AbortSignal
  /**
   * Asks for a sign of life: whether it comes within the time. It travels behind everything that is on its way by then, in both
   * directions, so what the device has not said when it comes it has not said at all. A connection that ends answers no.
   */
  answers?(timeoutMs: number): Promise<boolean>
  /** Ends the whole connection at once: for a peer that breaks the rules (RATE_LIMITED, say). `signal` aborts with `reason`. */
  abort(reason: Error): void
  /**
   * 32 bytes by HKDF-SHA256 from this connection's key of that direction. Both ends of a stream get the same bytes when one
   * says `send` and the other `receive`.
   */
  deriveKey(direction: Direction, salt: Uint8Array, info: string): Uint8Array
}

export interface HandlerOptions {
  /** Streams of this protocol that one device may have open at once. */
  maxInboundStreams?: number
}

export type PeerHandler = (stream: Stream, peer: PeerSession) => Promise<void>

export interface PeerNetwork {
  readonly localDevice: DeviceId
  /**
   * Serves a protocol to devices that are paired and have said hello; anybody else is refused before the handler runs. A
   * handler that throws aborts its stream and is logged once. May be called before the network runs, and holds over restarts of it.
   */
  handle(protocol: string, handler: PeerHandler, options?: HandlerOptions): Promise<void>
  unhandle(protocol: string): Promise<void>
  /** Opens a stream to a connected device. @throws DEVICE_AWAY when it is not connected */
  open(device: DeviceId, protocol: string, options?: AbortOptions): Promise<{ stream: Stream; peer: PeerSession }>
  /** The present session with a device, if it is connected. */
  session(device: DeviceId): PeerSession | undefined
  /** Waits until a device is connected (dialling it meanwhile). @throws signal.reason */
  whenConnected(device: DeviceId, options?: AbortOptions): Promise<PeerSession>
  connected(): readonly PeerSession[]
  /** @returns a function that takes the listener off */
  onConnected(listener: (peer: PeerSession) => void): () => void
  onDisconnected(listener: (peer: PeerSession, reason: unknown) => void): () => void
}

/** What a paired device may do beyond hello, message and offer (PEERS 4). */
export interface PeerTrust {
  isPaired(device: DeviceId): boolean
  /** The name this device goes by here. */
  nameOf(device: DeviceId): string
}
