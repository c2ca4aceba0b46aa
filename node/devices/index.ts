/**
 * The devices this one knows: who is paired, with which secret, under which name, where it was last reached, and who was
 * revoked. Kept in the instance database (migration 010), held in memory as well since the gater asks at each connection.
 * Pair secrets are sealed with the identity's key and read only while that is unlocked.
 *
 *   const devices = await openDeviceRegistry({ database, identity: () => store.identity, clock, events, log })
 *   const laptop = devices.resolve('laptop') // id, prefix of 8 letters, or name
 *   await devices.revoke(laptop.id)          // aborts what runs for it, cuts it, then the tombstone
 */

import type { PairedDevices } from '../../protocols/pairing/index.js'
import type { PeerTrust } from '../../protocols/wire/index.js'
import type { DeviceId } from '../../storage/base/index.js'
import type { Device, DeviceProblem, HelloFacts, PairSecret } from './device.js'

export interface DeviceRegistry extends PeerTrust {
  list(): readonly Device[]
  find(device: DeviceId): Device | undefined
  /** @throws UNKNOWN_DEVICE, AMBIGUOUS_DEVICE */
  resolve(text: string): Device
  /** The same devices as pairing sees them. */
  readonly paired: PairedDevices

  /** Newest first; a confirmed one and at most one that waits for its first hello. @throws LOCKED_IDENTITY */
  secretsOf(device: DeviceId): PairSecret[]
  /** A hello has proven the secret of `epoch` both ways. Durable when it resolves. @throws NOT_PAIRED when revoked meanwhile */
  helloProven(device: DeviceId, epoch: number, facts: HelloFacts): Promise<Device>
  seen(device: DeviceId): Promise<void>
  /** @returns true when that is news */
  setProblem(device: DeviceId, problem: DeviceProblem | undefined): boolean

  /** Gives a device a name of our own here; null: the one it calls itself. @throws BAD_NAME, UNKNOWN_DEVICE */
  rename(device: DeviceId, name: string | null): Promise<Device>
  /** A connected device says that it calls itself otherwise now. */
  nameTold(device: DeviceId, name: string): Promise<void>
  /**
   * In this order: it is not paired any more, what runs for it is aborted and cut (hooks' `cut`, synchronous), tombstone
   * (durable), what is kept for it is cleaned (hooks' `clean`), event.
   */
  revoke(device: DeviceId): Promise<void>
  onRevoke(hook: RevokeHook): () => void
  /** Who keeps rules or rights of a device besides the grants here (Spacedrop rules): asked and emptied when it pairs again. */
  addTrustHolder(holder: TrustHolder): () => void

  /** Where it was reached or says it listens, last good first. */
  addressesOf(device: DeviceId): readonly { address: string; goodAt: number }[]
  saveAddresses(device: DeviceId, addresses: readonly string[], good: boolean): Promise<void>

  /** Removes secrets whose 24 hours are over. */
  lapse(): Promise<void>
  /** After the identity was replaced: no device is paired any more, names stay. */
  forgetAll(): Promise<void>
}

export interface RevokeHook {
  /** Aborts and cuts at once. Must not throw. */
  cut?(device: DeviceId): void
  /** Removes what was kept for it: outbox, partial transfers. */
  clean?(device: DeviceId): Promise<void>
}

export interface TrustHolder {
  has(device: DeviceId): boolean
  drop(device: DeviceId): Promise<void>
}

export {
  type Device,
  type DeviceProblem,
  type DeviceState,
  type HelloFacts,
  type PairSecret,
  PROBLEM_TEXT
} from './device.js'
export { deviceWrites, MAX_ADDRESSES_PER_DEVICE } from './devices.worker.js'
export { hostName, instanceNameOf, parseName } from './names.js'
export { type DeviceRegistryInit, openDeviceRegistry, UNCONFIRMED_LIFETIME_MS } from './registry.js'
export { MIN_ID_PREFIX, resolveDevice } from './resolve.js'
export { type LocalDevice, type LocalDeviceInit, openLocalDevice } from './self.js'
