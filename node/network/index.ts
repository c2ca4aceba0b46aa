/**
 * The device's own libp2p node and everything that makes it a network of paired devices: the gater, dialling, hello,
 * sessions, discovery. It can be started and stopped while the daemon runs; handlers, listeners and pairing's port hold
 * over that. libp2p itself is loaded by the first `start`.
 *
 *   const network = createNetwork({ config: config.network, identity, devices, self, database, clock, random, events, log })
 *   await network.handle('/spacedrive/messaging/1.0.0', async (stream, peer) => { ... })
 *   await network.start()
 *
 * How a connection lives: raw TCP (metered, admission.ts) -> Noise (who is it? admission.ts) -> Yamux (watched,
 * yamux-guard.ts) -> hello (links.ts, protocols/hello) -> session (session.ts): only then any other protocol is served
 * (streams.ts, trust.ts). A stranger gets as far as pairing (pairing-port.ts) and only while a code is open.
 */
import type { PairingGate, PairingNetwork } from '../../protocols/pairing/index.js'
import type { PeerNetwork } from '../../protocols/wire/index.js'
import type { Clock, DeviceId, EventBus, Logger, Random, Startable } from '../../storage/base/index.js'
import type { Database } from '../../storage/sql/index.js'
import type { Config } from '../config/schema.js'
import type { DeviceRegistry, LocalDevice } from '../devices/index.js'
import type { IdentityStore } from '../identity/index.js'
import type { NetworkState, NetworkStatus } from './status.js'

export interface NetworkInit {
  config: () => Config['network']
  identity: IdentityStore
  /** For a sealed key: asked when the network starts and the key is still locked. */
  password?: () => Promise<string | undefined>
  devices: DeviceRegistry
  self: LocalDevice
  database: Database
  clock: Clock
  random: Random
  events: EventBus
  log: Logger
  /** How long an inbound connection may take to say who it is. Given by tests alone. */
  upgradeTimeoutMs?: number
}

export interface Network extends PeerNetwork, Startable {
  readonly state: NetworkState
  readonly pairing: PairingNetwork
  /** Set once by the composition root: strangers are let in only while a code is open. */
  setPairingGate(gate: PairingGate): void
  /**
   * Brings the network up. The first time it makes the identity.
   * @throws {SpacedriveError} LOCKED_IDENTITY, WRONG_PASSWORD, KEY_FILE_*, IDENTITY_LOST, IDENTITY_MISMATCH, LISTEN_FAILED
   */
  start(): Promise<void>
  /** Ends every session (reason NETWORK_STOPPED) and stops listening. */
  stop(): Promise<void>
  status(): NetworkStatus
  /** Reachable addresses changed by hand (a test, `--address`): dialled beside what is stored and discovered. */
  hint(device: DeviceId, addresses: readonly string[]): void
  /** This device was renamed: those that are connected are told. */
  renamed(): void
}

export { createNetwork } from './network.js'
export type { NetworkState, NetworkStatus } from './status.js'
export { maySpeak, type Standing, standingOf } from './trust.js'
