/** Limits of serving; each is listed in docs/limits.md with what happens at it. */

/** Syncs that one device may have asked for here, accepted or not. */
export const MAX_SERVED = 100
/** Rules for requests of one device: each is a folder that a person named. */
export const MAX_SYNC_RULES = 64
/** How many files a folder holds is counted again after so long: people change it, too. */
export const COUNT_AGAIN_MS = 24 * 60 * 60 * 1000
/** Who waits for its turn at a folder longer than this is told so, and comes again: it may hold a turn that another waits for. */
export const TURN_WAIT_MS = 10_000
/** Paths that may have changed and were not fetched yet; more are told as "everything". */
export const MAX_WATCHED_PATHS = 4_096
/** In one page of them: 1,000 of the longest paths fill half a frame. */
export const MAX_WATCHED_PAGE = 1_000
/** Contents of versions that one session of a driver is told of to have them: some 60 bytes each. */
export const MAX_TOLD_CONTENTS = 250_000
/** Lines of versions in one page. */
export const KEPT_PAGE_LINES = 1_000
/** The same of their letters: a line of the longest paths, each byte escaped, is 80 KiB. */
export const KEPT_PAGE_LETTERS = 256 * 1024
/** A line longer than this is not told: none that is written is. */
export const MAX_KEPT_LINE = 128 * 1024
