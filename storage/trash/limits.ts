/** Whatever share of a volume the trash takes: what was thrown away by mistake today can be had back tomorrow. */
export const KEEP_MIN_MS = 24 * 60 * 60 * 1000
/** Between two looks of the cleaner. */
export const SWEEP_MS = 60 * 60 * 1000
/** Entries that one answer lists. */
export const MAX_TRASH_PAGE = 10_000
/** Rows taken at once when many are restored or removed: one short transaction each. */
export const CLAIM_ROWS = 500
