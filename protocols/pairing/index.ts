/**
 * Pairing (PEERS 2, docs/protocols/pairing.md): two devices become a pair by twelve words shown on one and typed on the other.
 *
 * Pure: `words` and `derive` (what follows from a code), `transcript`, `initiator` and `joiner` (each side as steps),
 * `advertisement` (what the DHT holds), `attempts`. Around them the service: codes with their expiry, streams, search, the
 * person who is asked. What it needs of the network and of the devices is in `ports.ts`.
 */
import type { Pairing } from './pairing.js'
import { type PairingInit, PairingService } from './service.js'

export { isDialable } from './address.js'
export { checkAdvertisement, PAIRING_NAMESPACE, selectAdvertisement } from './advertisement.js'
export { cleanName, nameSkeleton } from './device-info.js'
export type { PairingErrorCode } from './errors.js'
export { isLanServiceName } from './lan-tag.js'
export {
  ANSWER_TIMEOUT_MS,
  CODE_LIFETIME_MS,
  DIAL_TIMEOUT_MS,
  MAX_ADVERTISEMENT_BYTES,
  MAX_OPEN_CODES,
  RESPONSE_TIMEOUT_MS
} from './limits.js'
export { isLink, makeLink, type PairingLink, parseLink } from './link.js'
export type { JoinOptions, OpenCode, OpenOptions, Pairing } from './pairing.js'
export {
  type Candidate,
  type KnownDevice,
  type LocalIdentity,
  type LocalInfo,
  type NewPair,
  PAIRING_PROTOCOL,
  type PairedDevices,
  type PairingGate,
  type PairingHandler,
  type PairingNetwork,
  type PairingPeer,
  type PairingStream
} from './ports.js'
export type { PairingPeerInfo, PairingResult, PairingState, PairingStatus } from './session.js'
export { CODE_WORDS, parseWords } from './words.js'
export type { PairingInit }

/** The service: not started, nothing done yet. */
export function pairing(init: PairingInit): Pairing {
  return new PairingService(init)
}
