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
/** What a receiver with the smallest limit lets be on its way, and what a piece holds then: less would be heads and answers above all. */
export const MIN_WINDOW_BYTES = 16 * 1024
export const MIN_PIECE_BYTES = 16 * 1024
/**
 * Slower than this over the whole window is treated like silence: the stream ends, and the transfer waits for a better one. A
 * limit of 8 KiB/s that 32 streams share brings twice as much.
 */
export const MIN_RATE_BYTES_PER_SECOND = 128
export const MIN_RATE_WINDOW_MS = 60_000
/** What one chunk carries: writes of 1 MiB did best over Noise and Yamux, and a turn of the event loop stays at 2 ms. */
export const CHUNK_BYTES = 1024 * 1024
/** Files up to this size travel whole, many to a pack; larger ones in chunks of their own, and are resumed in the middle. */
export const SMALL_FILE_BYTES = 512 * 1024
/** Content of one pack, and its files: what one message to a worker writes. */
export const PACK_BYTES = 1024 * 1024
export const MAX_PACK_FILES = 1024
/** A line of a pack's table: entry index u32, size u32, BLAKE3. */
export const PACK_ROW_BYTES = 40
/** The longest frame that is sent: a pack that its last file filled, its table, and what a frame adds (38 bytes). */
export const PACK_FRAME_BYTES = PACK_BYTES + SMALL_FILE_BYTES + MAX_PACK_FILES * PACK_ROW_BYTES + 64
/** Large files on the way at once: the end of one (last sync of its hash, its rename) overlaps with the next. */
export const MAX_OPEN_FILES = 4
/** The longest frame of content: a chunk of the largest size, or a pack with its table. */
export const MAX_CONTENT_FRAME_BYTES = MAX_CHUNK_BYTES + 64 * 1024
/** The longest frame of the receiver's answers. */
export const MAX_ANSWER_FRAME_BYTES = 64 * 1024
/** Who has nothing to say says so after this long: a third of the idle deadline. */
export const BUSY_INTERVAL_MS = 10_000
/** Times a file is asked for again because its hash did not fit, and streams that may break the rules, before giving up. */
export const MAX_PASSES = 3
export const MAX_STRIKES = 3
/** A link slower than this (128 Mbit/s) gets its content compressed: there a processor is many times faster than it. */
export const SLOW_LINK_BYTES_PER_SECOND = 16 * 1024 * 1024
/** Hashing what is there for a resume goes at least this fast; that much longer may a resuming sender be silent. */
export const MIN_HASH_BYTES_PER_SECOND = 10 * 1024 * 1024
/** Between two tries while the other side is connected and does not take it yet. */
export const MIN_RETRY_MS = 250
export const MAX_RETRY_MS = 10_000
/** Files a receiver may say it has begun: what one stream leaves open, several times over. */
export const MAX_PARTIALS = 16
/** How long a last record may take to be flushed before a stream is cut. */
export const FAREWELL_MS = 2_000
/** What is finished is remembered for the other side's last question, and what nobody went on with is given up. */
export const KEEP_FINISHED_MS = 30 * 24 * 60 * 60 * 1000
/** Progress for a person: no more often than that on the bus (DESIGN 8). */
export const PROGRESS_INTERVAL_MS = 100
