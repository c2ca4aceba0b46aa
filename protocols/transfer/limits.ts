/** Limits of a transfer (DESIGN 12, PEERS 6); each is listed in docs/limits.md and tested at its edge. */

/** A page of a manifest: fits a control frame (64 KiB) with room for what carries it. */
export const MAX_PAGE_BYTES = 48 * 1024
/** Problems listed one by one in a result; beyond it they are counted. Bounds what a broken disk can make us remember. */
export const MAX_LISTED_PROBLEMS = 1_000
/** Transfers that run at once with one device, and in all; others wait their turn. */
export const MAX_TRANSFERS_PER_DEVICE = 4
export const MAX_TRANSFERS = 16
/** A chunk of content on the wire: smaller ones cost more than they carry, larger ones hold up what waits behind them. */
export const MIN_CHUNK_BYTES = 64 * 1024
export const MAX_CHUNK_BYTES = 4 * 1024 * 1024
/** Bytes a sender may have on the way that the receiver has not consumed. */
export const CREDIT_BYTES = 8 * 1024 * 1024
/** Slower than this over the whole window is treated like silence: the stream ends, and the transfer waits for a better one. */
export const MIN_RATE_BYTES_PER_SECOND = 1024
export const MIN_RATE_WINDOW_MS = 60_000
