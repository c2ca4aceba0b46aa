/**
 * The window: how much content may be on its way that the receiver has not consumed. Without a limit of the rate that is all of
 * the credit. With one it is what the limit lets through in two seconds, or the link of the person who set it would be full for as
 * long as the credit takes.
 */
import { wireError } from '../../wire/index.js'
import { CREDIT_BYTES, MIN_PIECE_BYTES, MIN_WINDOW_BYTES } from '../limits.js'

const KIB = 1024
/** While one piece is paid at the receiver's limit, and its credit is on its way, others arrive: with a single one the link would rest. */
const PIECES_A_WINDOW = 4

/** @param limitBytes - what the limit lets through in two seconds; undefined: there is none @returns whole KiB, in bytes */
export function windowUnder(limitBytes: number | undefined): number {
  const bytes = Math.min(Math.max(limitBytes ?? CREDIT_BYTES, MIN_WINDOW_BYTES), CREDIT_BYTES)
  return Math.floor(bytes / KIB) * KIB
}

/** What a record says of a window: KiB, and 0 for all of the credit, as from devices that know of no windows. */
export function windowToWire(windowBytes: number): number {
  return windowBytes === CREDIT_BYTES ? 0 : windowBytes / KIB
}

/** @throws {SpacedriveError} MALFORMED: more than the credit is never on its way, whatever the receiver says */
export function windowFromWire(kib: number): number {
  const bytes = kib === 0 ? CREDIT_BYTES : kib * KIB
  if (bytes > CREDIT_BYTES)
    throw wireError('MALFORMED', `expected a window of ${CREDIT_BYTES / KIB} KiB at the most, got ${kib} KiB`)
  return bytes
}

/** What one piece of content holds within a window. */
export function pieceBytes(windowBytes: number): number {
  return Math.max(windowBytes / PIECES_A_WINDOW, MIN_PIECE_BYTES)
}
