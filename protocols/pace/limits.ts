/** A limit under this would leave a frame of 1 MiB on the way for longer than other devices wait for one (60 s), where a few share it. */
export const MIN_RATE_BYTES_PER_SECOND = 64 * 1024
/** More is no limit: 1 TiB a second. */
export const MAX_RATE_BYTES_PER_SECOND = 2 ** 40
/** What may go at once after a pause: a quarter of a second of the rate. */
export const BURST_SECONDS = 0.25
/** A limit that begins or ends by its schedule is seen this soon by what waits. */
export const LOOK_EVERY_MS = 10_000
