/**
 * What shares a limit goes in slices of a quarter of a second of it, each in its turn: 32 streams that share this least one bring
 * 256 bytes a second each, a slice every 8 s. That is twice what other devices ask of a stream (128 bytes a second over a minute,
 * no silence of 30 s).
 */
export const MIN_RATE_BYTES_PER_SECOND = 8 * 1024
/** More is no limit: 1 TiB a second. */
export const MAX_RATE_BYTES_PER_SECOND = 2 ** 40
/** What may go at once after a pause: a quarter of a second of the rate. */
export const BURST_SECONDS = 0.25
/** A message under a limit: two seconds of it, and not so little that its head and its answer are most of it. */
export const SLICES_A_MESSAGE = 8
export const MIN_MESSAGE_BYTES = 16 * 1024
/** A limit that begins or ends by its schedule is seen this soon by what waits. */
export const LOOK_EVERY_MS = 10_000
