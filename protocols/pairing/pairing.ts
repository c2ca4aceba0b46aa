import type { AbortOptions, Startable } from '../../storage/base/index.js'
import type { PairingGate } from './ports.js'
import type { PairingResult, PairingStatus } from './session.js'

export interface OpenOptions {
  /** Accepts whoever proves that it knows the words, without showing the four words to anybody. */
  autoAccept?: boolean
}

export interface OpenCode {
  readonly session: string
  /** Twelve words. Only here: they are not kept, and not shown by `status`. */
  readonly words: string
  /** The text for a QR code; holds the words. */
  readonly link: string
  /** Wall clock, milliseconds. */
  readonly expiresAt: number
  /** The pairing that came of it. @throws what ended it, by code */
  readonly outcome: Promise<PairingResult>
}

export interface JoinOptions extends AbortOptions {
  /** Multiaddrs to try beside what is discovered, with or without `/p2p/...`. */
  addresses?: readonly string[]
  /** Pairing again: the grants and rules that the other device has here stay. */
  keepGrants?: boolean
}

export interface Pairing extends Startable, PairingGate {
  /** Makes a code and shows it to the network. @throws NETWORK_OFF, TOO_MANY_CODES */
  open(options?: OpenOptions): Promise<OpenCode>
  /**
   * Takes twelve words, or the text of a QR code, and pairs with the device that shows them. Bad words are refused before
   * anything is sent. @throws BAD_WORDS, BAD_LINK, BAD_ADDRESS, CODE_EXPIRED, NETWORK_OFF; the outcome: PAIRING_NOT_FOUND,
   * PAIRING_REFUSED, PAIRING_DECLINED, PAIRING_INTERRUPTED, CANCELLED
   */
  join(typed: string, options?: JoinOptions): { session: string; outcome: Promise<PairingResult> }
  /** What is going on, and the last that are over; oldest first. */
  status(): readonly PairingStatus[]
  find(session: string): PairingStatus | undefined
  /** The person's answer; without a session that of the one that waits. @throws NOTHING_TO_CONFIRM */
  confirm(session: string | undefined, accept: boolean, keepGrants?: boolean): PairingStatus
  /** Takes back a code, gives up a search; without a session all of them. @returns the sessions. @throws NO_SUCH_PAIRING */
  cancel(session?: string): readonly string[]
}
