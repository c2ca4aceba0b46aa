import { errorCode, SpacedriveError } from '../../storage/base/index.js'

/** What went wrong on a stream, by code. The text of a peer is never shown as ours. */
export type WireErrorCode =
  | 'FRAME_TOO_LARGE'
  | 'FLOODED'
  | 'TRUNCATED'
  | 'MALFORMED'
  | 'UNEXPECTED_MESSAGE'
  | 'STREAM_CLOSED'
  | 'TIMEOUT'
  | 'REFUSED'
  | 'DEVICE_AWAY'

export function wireError(code: WireErrorCode, message: string, cause?: unknown): SpacedriveError {
  return new SpacedriveError(code, message, cause === undefined ? {} : { cause })
}

/** Codes of a peer that breaks the rules: it is there, and what it says cannot be. */
export const BROKEN_RULES: ReadonlySet<string> = new Set<WireErrorCode>([
  'FRAME_TOO_LARGE',
  'FLOODED',
  'MALFORMED',
  'UNEXPECTED_MESSAGE'
])

/**
 * Codes that a peer may be told. Everything else becomes `INTERNAL`: our paths, names and reasons are not for its eyes.
 */
const PUBLIC_CODES: ReadonlySet<string> = new Set([
  'FRAME_TOO_LARGE',
  'FLOODED',
  'MALFORMED',
  'UNEXPECTED_MESSAGE',
  'UNKNOWN_TYPE',
  'NOT_GRANTED',
  'REFUSED',
  'NO_SPACE',
  'TOO_MANY',
  'TOO_MANY_ENTRIES',
  'HASH_MISMATCH',
  'TRUNCATED',
  'RATE_LIMITED',
  'GONE',
  'CHANGED',
  'CANCELLED',
  'STOPPED',
  'TIMEOUT'
])

export function publicCode(err: unknown): string {
  const code = errorCode(err)
  return PUBLIC_CODES.has(code) ? code : 'INTERNAL'
}
