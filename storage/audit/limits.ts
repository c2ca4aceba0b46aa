/** Long enough to ask next year who deleted something. */
export const KEEP_MS = 365 * 24 * 60 * 60 * 1000
/** Some hundred bytes each: 50 MB at most. */
export const MAX_AUDIT_ROWS = 100_000
/** Paths kept of one operation. */
export const MAX_AUDIT_PATHS = 20
/** What one answer lists. */
export const MAX_AUDIT_PAGE = 10_000
