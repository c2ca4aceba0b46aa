import { DRAIN_TIMEOUT_MS, HEADER_TIMEOUT_MS, IDLE_TIMEOUT_MS } from '../wire/index.js'
import {
  BUSY_INTERVAL_MS,
  MAX_RETRY_MS,
  MIN_RATE_BYTES_PER_SECOND,
  MIN_RATE_WINDOW_MS,
  MIN_RETRY_MS,
  SLOW_LINK_BYTES_PER_SECOND
} from './limits.js'

/** How long a stream waits for what. Handed in, so that tests of the deadlines need not wait for real ones. */
export interface TransferTimings {
  /** From the opening of a stream to its first record. */
  readonly headerMs: number
  /** Between two frames of the other side. */
  readonly idleMs: number
  /** Silence of ours before we say that we are still there. */
  readonly busyMs: number
  /** How long the other side may take nothing of what was sent. */
  readonly drainMs: number
  readonly rateWindowMs: number
  readonly minBytesPerSecond: number
  /** Content is compressed on a link slower than this. */
  readonly compressBelowBytesPerSecond: number
  /** Between two tries while the other side is connected. */
  readonly minRetryMs: number
  readonly maxRetryMs: number
}

export const DEFAULT_TIMINGS: TransferTimings = {
  headerMs: HEADER_TIMEOUT_MS,
  idleMs: IDLE_TIMEOUT_MS,
  busyMs: BUSY_INTERVAL_MS,
  drainMs: DRAIN_TIMEOUT_MS,
  rateWindowMs: MIN_RATE_WINDOW_MS,
  minBytesPerSecond: MIN_RATE_BYTES_PER_SECOND,
  compressBelowBytesPerSecond: SLOW_LINK_BYTES_PER_SECOND,
  minRetryMs: MIN_RETRY_MS,
  maxRetryMs: MAX_RETRY_MS
}
