/** A change is handed on when nothing followed for this long: editors write in several steps a few milliseconds apart. */
export const QUIET_MS = 8
/** ... and at the latest after this, while changes go on: a burst is in the index within 200 ms of its last write. */
export const MAX_WAIT_MS = 100
/** Paths in one batch: the next one begins where it ended, so that a single change does not wait for ten thousand. */
export const MAX_BATCH_PATHS = 4_096
/** Paths kept while the listener is busy (some 10 MB); beyond it the whole tree is looked at instead. */
export const MAX_PENDING_PATHS = 50_000
/** What cannot be watched is walked this often. */
export const WALK_INTERVAL_MS = 30_000
/** chokidar takes a watch and 13 KB for each file: 26 MB for as many as this. */
export const CHOKIDAR_MAX_ENTRIES = 2_000
/** Polling asks a network drive for every stat: 2,000 each two seconds is what a small server still bears. */
export const POLL_INTERVAL_MS = 2_000
/** Folders that are taken under watch before the thread gives way to others: some 5 ms. */
export const FOLDERS_AT_ONCE = 256
/** Folders named in a report of what is not watched. */
export const MAX_UNCOVERED_NAMED = 20
/** A watching thread that ends this often is not begun again: the tree is walked instead. */
export const MAX_RESTARTS = 3
/** chokidar loses a watch now and then where much changes at once: after so many hints it is checked once they have ended. */
export const SETTLE_HINTS = 20
export const SETTLE_MS = 500
