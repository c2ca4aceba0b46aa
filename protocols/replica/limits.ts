/** Limits of the replica protocol (PEERS.md 8); each is listed in docs/limits.md with what happens at it. */

import { MAX_SERVED } from '../../sync/serving/index.js'

export { MAX_GRANTS } from './grant-limit.js'

/** A pack of small files (4 MiB) and what is said of them; a page of 512 entries with the longest paths is 2 MiB. */
export const MAX_REPLICA_FRAME_BYTES = 8 * 1024 * 1024
/** Requests without an answer; who has more to ask waits. */
export const MAX_REQUESTS = 8
/** Bytes of content in requests without an answer; a request that is larger by itself goes alone. */
export const MAX_REQUEST_BYTES = 8 * 1024 * 1024
/** Answers that come in parts (listings, content) and are open at once. */
export const MAX_STREAMED = 16
/** Parts of such an answer that are on their way unread: four of the largest pieces of content are 4 MiB. */
export const PARTS_AHEAD = 4
/** Hashes in one part: four of these hold all that may be asked for at once, which so takes one round trip. */
export const MAX_HASHES_A_PART = 250
/** Sessions of one device that are at work: each is an open folder. */
export const MAX_SESSIONS = 16
/** Sessions of one device that do nothing but watch: one for each sync that there may be. */
export const MAX_WATCHING = MAX_SERVED
/** Sessions for syncs that this device has at work with one other; further ones wait. What else it opens there has room beside them. */
export const SYNCS_AT_WORK = 8
/** Who holds the turn at a folder and does not get on for so long, while nothing is done here for it, loses it: others wait. */
export const IDLE_TURN_MS = 5 * 60_000
/**
 * A driver that reads a large file at its own end says so as often: a few such words may be late, and it keeps its turn. Who says it
 * twice as often and more says it for something else.
 */
export const GOT_ON_EVERY_MS = 60_000
/**
 * The same whatever is done here for it and whatever it says of itself: more than reading the largest file takes, and nobody can have
 * that done, or say that, for ever.
 */
export const STALLED_TURN_MS = 6 * 3600_000
/** Whoever holds the turn at a folder has it so long at the most once somebody else came for it. */
export const MAX_WANTED_TURN_MS = 24 * 3600_000
/**
 * In both directions together: getting on. The slowest rate that can be set brings it in 32 s; where many share that, the driver says
 * that it gets on.
 */
export const TURN_PROGRESS_BYTES = 256 * 1024
/** Staging places of a session. */
export const MAX_STAGES = 16
/** Large files that are written at once. */
export const MAX_WRITERS = 16
/** While something is worked on and nothing is said for so long, a sign of life goes out. */
export const ALIVE_EVERY_MS = 5_000
/** No frame at all for so long while an answer is due: the other device is given up. */
export const SILENCE_MS = 35_000
/** Nothing but signs of life for so long while an answer is due: likewise. More than reading the largest file takes. */
export const MAX_ALIVE_ONLY_MS = 6 * 3600_000
/** Of an answer that comes in parts: a listing that never ends, ends. What it tells of is written down here, some 200 bytes each. */
export const MAX_LISTED_ENTRIES = 20_000_000
/** The same of the letters of all its names. */
export const MAX_LISTED_NAME_BYTES = 4 * 1024 * 1024 * 1024
/** Lines of versions of one answer, from which an earlier state follows: their names are held in memory. */
export const MAX_KEPT_LINES = 5_000_000
/** The same of all their letters. */
export const MAX_KEPT_LETTERS = 1024 * 1024 * 1024
/** A listing may take so long, and a second more for so many entries: folders here wait for its end. Cold disks tell of 100 at least. */
export const LISTING_PATIENCE_MS = 30 * 60_000
export const LISTED_ENTRIES_A_SECOND = 20
/** In one part of a list of blocks: an end sends some 128 at once. */
export const MAX_BLOCKS_A_PART = 4_096
/** Text of an error that the other device may put before a person here. */
export const MAX_ERROR_TEXT = 1_000
/** Places that are told of one content. */
export const MAX_FOUND = 100
/** Counters in one version: each folder in step, in each life of its database, has two. */
export const MAX_VECTOR_NAMES = 256
