import { errorCode } from '../../../storage/base/index.js'

/** The other device cannot be reached at this moment: what was begun goes on when it is there again. */
const AWAY = new Set([
  'DEVICE_AWAY',
  'UNREACHABLE',
  'NOT_CONNECTED',
  'NETWORK_STOPPED',
  'STREAM_CLOSED',
  'TIMEOUT',
  // It is just stopping, or has not yet let go of what it held for a connection that is gone.
  'STOPPED',
  'STAGING_IN_USE'
])

export const isAway = (err: unknown): boolean => AWAY.has(errorCode(err))

/** What concerns more than one path: the copy ends, or waits. */
const FATAL = new Set([
  ...AWAY,
  'NO_SPACE',
  'READ_ONLY',
  'DISK_ERROR',
  'STAGING_GONE',
  'ROOT_MOVED',
  'NOT_GRANTED',
  'MALFORMED',
  'BATCH_TOO_LARGE'
])

export const isFatalHere = (err: unknown): boolean => FATAL.has(errorCode(err))
