/** Limits of pairing (PEERS 2), listed in docs/limits.md; each is tested at its edge. */

/** Long enough to walk to the other device and type twelve words, short enough that a code left on a screen is worth little. */
export const CODE_LIFETIME_MS = 5 * 60_000
/** From the opening of a stream to a Response that verifies: what a stranger may hold one of the four places for. */
export const RESPONSE_TIMEOUT_MS = 45_000
/** From a valid PairingRequest to its Response; only machines act in between. Also how long a joiner waits for the Challenge. */
export const HANDSHAKE_TIMEOUT_MS = 30_000
/** For a person to compare four words on two screens and answer. */
export const ANSWER_TIMEOUT_MS = 150_000
/** Above the other side's wait for its person, so that its answer and not our own clock ends a pairing. */
export const ANSWER_GRACE_MS = 15_000
/** How long the last Complete may take; without it the hello decides. */
export const COMPLETE_TIMEOUT_MS = 10_000
/** How long a joiner looks for the device that shows the code before it says that nobody was found. */
export const SEARCH_TIMEOUT_MS = 30_000
/** Between two questions to the DHT: an advertisement needs a moment to get there. */
export const LOOKUP_INTERVAL_MS = 2_000
/** A candidate that could not be reached is not tried again before this, however often it is announced. */
export const RETRY_MS = 3_000
/** One dial of all addresses of a candidate (threats E6). */
export const DIAL_TIMEOUT_MS = 10_000
/** Candidates tried at the same time: more are spoofed answers, and wait. */
export const MAX_PARALLEL_CANDIDATES = 4
/** A candidate that takes longer than this gives its place to the next one, and goes on beside it: a spoofed one may hang. */
export const SLOW_CANDIDATE_MS = 2_000
/** Candidates looked at in one search: spoofed answers cannot keep it busy without end. */
export const MAX_CANDIDATES = 32

/** Codes open at once: one for each of three people; every code is one more thing that can be guessed or lost. */
export const MAX_OPEN_CODES = 3
/** Every refusal leaves this long after what caused it arrived, whatever the cause: longer than any check takes. */
export const FAILURE_DELAY_MS = 300
/** Failed requests of one source before it waits. A person mistypes; the checksum catches 15 of 16 of those before the network. */
export const MAX_SOURCE_FAILURES = 5
/** How long such a source waits, and is refused unread. */
export const SOURCE_WAIT_MS = 60_000
/** Failed requests of all sources together after which the user is told, once for each such number. */
export const NOTICE_FAILURES = 20
/** Failures are forgotten after the life of a code. */
export const FAILURE_WINDOW_MS = CODE_LIFETIME_MS
/** Sources remembered; with more the one that failed longest ago is forgotten. 1,024 of them are 100 KB. */
export const MAX_SOURCES = 1_024

/** A burned session is remembered this long after its code would have expired, across restarts. */
export const BURN_KEEP_MS = 60 * 60_000
/** A wall clock set back by more means that time cannot be trusted: the code expires. Time servers correct less than this. */
export const CLOCK_STEP_MS = 2_000
/** How far the clocks of two devices may be apart for an advertisement to count. */
export const CLOCK_TOLERANCE_MS = 10 * 60_000
/** An advertisement: PeerId, 8 addresses, key and signature take 700 bytes. */
export const MAX_ADVERTISEMENT_BYTES = 1_024
/** Addresses in an advertisement, a link or a candidate; nobody has more that are useful. */
export const MAX_ADDRESSES = 8
/** `/ip6/` with a full address and `/tcp/` takes 55. */
export const MAX_ADDRESS_CHARS = 96
/** An address typed by a person may name a host: 253 letters, a port, a device. */
export const MAX_TYPED_CHARS = 384
/** Looks after an advertisement this often: addresses that changed, a DHT that had no peers yet. */
export const REPUBLISH_INTERVAL_MS = 15_000

/** Of the operating system and the kind of machine, in UTF-8 bytes; names: storage/base/shown-name. */
export const MAX_MODEL_BYTES = 64
/** Pair epochs fit 31 bits: a pairing that would need a higher one fails. Nobody pairs two billion times. */
export const MAX_EPOCH = 2 ** 31 - 2
