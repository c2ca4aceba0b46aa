/** Limits of messaging; each is listed in docs/limits.md with what happens at it. */

/** What a message says, as MessagePack: leaves 4 KiB of a control frame for its envelope. Longer text goes by Spacedrop. */
export const MAX_BODY_BYTES = 60 * 1024
/** Levels of objects and arrays in a body: the codec allows 8 in all and the envelope is one of them. */
export const MAX_BODY_DEPTH = 6
/** A kind is a dotted name of a part of the program (`sync.request`), not free text. */
export const MAX_KIND_LENGTH = 64

/** Waiting for one device: a month of chatter; more means that nobody will read it. */
export const MAX_OUTBOX_MESSAGES = 1_000
export const MAX_OUTBOX_BYTES = 16 * 1024 * 1024
/** Waiting for all devices together. */
export const MAX_OUTBOX_MESSAGES_IN_ALL = 10_000
export const MAX_OUTBOX_BYTES_IN_ALL = 64 * 1024 * 1024
/** A message that found no taker for so long is given up: longer than a holiday. */
export const OUTBOX_LIFETIME_MS = 30 * 24 * 60 * 60 * 1000

/** Received from one device and neither read nor handled: more is refused, and waits in the sender's outbox. */
export const MAX_INBOX_MESSAGES = 1_000
export const MAX_INBOX_BYTES = 64 * 1024 * 1024
/**
 * Read, handled or delivered messages kept of each device and direction. Their ids are what makes a message arrive once, so
 * this must stay well above what a sender can repeat (MAX_IN_FLIGHT).
 */
export const MAX_HISTORY_MESSAGES = 2_000
/** Text kept of each device and direction; of older ones only the id stays. */
export const MAX_HISTORY_BYTES = 64 * 1024 * 1024

/**
 * Frames we send that are not yet answered. With the burst and rate below the receiver's limit (50/s, burst 200) holds
 * even when a stalled link delivers everything in flight at once: 48 + 90 + a cancel for each request in flight < 200.
 */
export const MAX_IN_FLIGHT = 48
export const SEND_BURST = 90
export const SEND_PER_SECOND = 40
/** The burst right after our start: the receiver remembers what we sent before it. */
export const FIRST_BURST = 20
/** Requests of one device that may run here at once; more get TOO_MANY. */
export const MAX_REQUESTS_RUNNING = 32

/** A request is for something quick; what takes longer is answered by a message of its own. */
export const DEFAULT_DEADLINE_MS = 10_000
export const MAX_DEADLINE_MS = 60_000
/** An answer to a message or notification comes from one write to the database. */
export const ANSWER_TIMEOUT_MS = 30_000
/** A stream without traffic is closed by the side that opened it; well below the reader's IDLE_TIMEOUT_MS. */
export const IDLE_CLOSE_MS = 10_000

/** A handler that fails is called again at the next start, so often in all; then the message is marked as failed. */
export const MAX_HANDLER_ATTEMPTS = 5
/** Messages sent and settled together: one read and one commit for so many. */
export const SEND_BATCH = 16
/** How long after the deadline of a request its answer may still arrive; later the stream counts as dead. */
export const REQUEST_GRACE_MS = 5_000
/** One in use and one on its way out, for two connections that overlap. */
export const STREAMS_PER_DEVICE = 4
