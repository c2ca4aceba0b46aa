/** Limits of Spacedrop (DESIGN 12); each is listed in docs/limits.md with what happens at it. */

export const MAX_OFFER_ENTRIES = 100_000
/** Levels of folders. */
export const MAX_OFFER_DEPTH = 64
/** The list of names of one offer on the wire and on the receiver's disk: 100,000 entries of 145 bytes of path. */
export const MAX_MANIFEST_BYTES = 16 * 1024 * 1024
/** Pages of a list that may be on the way unread: 1.5 MiB, well below what a stream may have waiting (protocols/wire). */
export const MAX_PAGES_AHEAD = 32
/** A text drop; what is longer is a file. */
export const MAX_TEXT_BYTES = 1024 * 1024

/** Offers without an answer: a person reads no more, and each holds a list of names on the disk. */
export const MAX_OPEN_OFFERS_PER_DEVICE = 8
export const MAX_OPEN_OFFERS = 64
/** How long an offer that has reached the other device waits for its person. */
export const OFFER_LIFETIME_MS = 10 * 60 * 1000
/** How long an offer waits for a device that is away: as long as a message (protocols/messaging). */
export const AWAY_LIFETIME_MS = 30 * 24 * 60 * 60 * 1000
/** A whole list of names at the slowest link that still makes sense: 16 MiB at 28 KiB/s. */
export const MANIFEST_TIMEOUT_MS = 10 * 60 * 1000
/** An answer comes from a write to the database. */
export const ANSWER_TIMEOUT_MS = 30_000
/** Exchanges of one device at once: an offer with its list, an answer, a withdrawal. */
export const STREAMS_PER_DEVICE = 4

/** Finished offers that `network offers --all` remembers. */
export const MAX_HISTORY = 500
/** Top-level names kept with an offer, for lists. */
export const MAX_SHOWN_NAMES = 20
/** Problems of an offer named one by one; beyond that they are counted. */
export const MAX_LISTED_PROBLEMS = 1_000
/** Letters of an id that a person has to type at least. */
export const MIN_ID_PREFIX = 4
/** Patterns of one `accept`, and what `{a,b}` may multiply them to. */
export const MAX_PATTERNS = 64
