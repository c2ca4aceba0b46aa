/**
 * What pairing needs of the rest of the peer, as small interfaces. node/network and node/devices fill them in; tests bring
 * their own. Addresses are multiaddrs in text form.
 */
import type { Stream } from '@libp2p/interface'
import type { AbortOptions, DeviceId } from '../../storage/base/index.js'

export const PAIRING_PROTOCOL = '/spacedrive/pairing/1.0.0'

/** This installation: its key signs the transcript. `seed` is the Ed25519 private key (RFC 8032), 32 bytes. */
export interface LocalIdentity {
  readonly device: DeviceId
  readonly publicKey: Uint8Array
  readonly seed: Uint8Array
}

/** What the other screen shows of this device; asked for anew for each handshake, so that a rename counts at once. */
export interface LocalInfo {
  readonly name: string
  /** `linux`, `darwin`, `win32`. */
  readonly os: string
  /** What kind of machine, as far as it is known; may be empty. */
  readonly model: string
}

/** The other end of a pairing stream. Who it is comes from Noise (`connection.remotePeer`) alone. */
export interface PairingPeer {
  readonly device: DeviceId
  /** Raw Ed25519 key of `device`, 32 bytes. A peer with another kind of key is refused before it gets here. */
  readonly publicKey: Uint8Array
  /** Where it comes from: the remote multiaddr of the connection. Counted by the limits, shown in messages. */
  readonly address: string
  /** Aborted when the connection ends or the network stops. */
  readonly signal: AbortSignal
  /**
   * How far it has come, for the gater: after `request` it has sent a valid PairingRequest (it no longer gives way to
   * newcomers, and the 64 KiB no longer count), after `response` it is the one (the 45 seconds no longer count: a person is
   * being asked, PAIRING_ANSWER_MS). Does nothing for a peer that we dialled.
   */
  progressed(stage: 'request' | 'response'): void
}

export interface PairingStream {
  readonly stream: Stream
  readonly peer: PairingPeer
  /** The connection is no longer needed for pairing: with a device that is saved by now the hello may follow on it, any other is cut. */
  release(): void
}

/** Somebody who may be showing the code: to be dialled. `device` unset: whoever answers there. */
export interface Candidate {
  readonly device?: DeviceId
  readonly addresses: readonly string[]
}

/** A stream of somebody who dialled us. The connection is released when the promise settles. */
export type PairingHandler = (stream: Stream, peer: PairingPeer) => Promise<void>

/**
 * A connection is exempt from the hello while a pairing stream is open on it, also one of a device that is paired already:
 * it pairs again just because its hello fails.
 */
export interface PairingNetwork {
  /** Undefined while the network is off, locked or without an identity; then the rest throws NETWORK_OFF. */
  readonly identity: LocalIdentity | undefined
  /**
   * Serves PAIRING_PROTOCOL to everybody whom the gater let in: one stream a connection. May be called before the network
   * runs, and holds over restarts of it.
   */
  handle(handler: PairingHandler): Promise<void>
  unhandle(): Promise<void>
  /** Addresses under which others may reach us, most useful first, without `/p2p/...`. */
  addresses(): readonly string[]
  /** Which ways of finding each other are on, for messages: `['lan']`, `['lan', 'dht']`, `[]`. */
  discovery(): readonly ('lan' | 'dht')[]
  /**
   * Answers on the local network under the service name of a code until `close`; the answer carries our PeerId and addresses.
   * Does nothing where mDNS is off.
   */
  announce(lanTag: string): Promise<{ close(): Promise<void> }>
  /** Whoever answers under that name, as they come, until the signal; ends at once where mDNS is off. */
  browse(lanTag: string, options: AbortOptions): AsyncIterable<Candidate>
  /** Puts a value into the DHT. False: the DHT is off, or nobody took it (try again later). */
  put(key: string, value: Uint8Array, options: AbortOptions): Promise<boolean>
  /** The values found for a key, as they come, not yet trusted; one round of asking, ends at once where the DHT is off. */
  lookup(key: string, options: AbortOptions): AsyncIterable<Uint8Array>
  /**
   * Opens a pairing stream: addresses are tried in parallel (250 ms apart), the first connection is taken.
   * @throws {SpacedriveError} UNREACHABLE with the cause for each address; SELF_DIAL when our own key answers
   */
  dial(candidate: Candidate, options: AbortOptions): Promise<PairingStream>
}

/** Asked by the gater: strangers are let in only while this is true. */
export interface PairingGate {
  isOpen(): boolean
}

export interface KnownDevice {
  readonly device: DeviceId
  readonly name: string
  /** Epoch of the last pair secret shared with it; a revoked device keeps its number. */
  readonly epoch: number
  readonly revoked: boolean
  /** It has grants or rules here that a new pairing could keep or drop. */
  readonly hasGrants: boolean
}

export interface NewPair {
  readonly device: DeviceId
  /** As the other device calls itself: cleaned, 1 to 64 graphemes. A device that is known keeps the name it has here. */
  readonly name: string
  readonly os: string
  readonly model: string
  /** 32 bytes, the root of all keys of this pair; sealed before it is stored. */
  readonly pairRoot: Uint8Array
  /** 1 for a first pairing; both sides arrive at the same number. */
  readonly epoch: number
  /** Always true: unconfirmed until a hello proves `pairRoot` both ways; lapses after 24 hours. */
  readonly unconfirmed: true
  /** Pairing again: whether grants and rules of before stay. Syncs and the name stay in any case. */
  readonly keepGrants: boolean
}

export interface PairedDevices {
  find(device: DeviceId): KnownDevice | undefined
  list(): readonly KnownDevice[]
  /**
   * Durable when it resolves. Pairing again replaces the secret; the one before is kept beside it until a hello proves the
   * new one, since the other side may not have got that far.
   */
  savePaired(pair: NewPair): Promise<void>
}
