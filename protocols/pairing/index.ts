/**
 * Pairing (PEERS 2, docs/protocols/pairing.md): two devices become a pair by twelve words shown on one and typed on the other.
 */
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
