/** How soon a root that came, went or was replaced is noticed when no event tells. One lstat each. */
export const ROOT_CHECK_MS = 5_000
/** A root that does not answer for so long is offline: a server that is away. */
export const ROOT_ANSWER_MS = 4_000
/** Every location is looked at again this often, whatever its watcher says: watchers miss things. */
export const CHECK_INTERVAL_MS = 60 * 60 * 1000
/** Share by which that moves, so that the locations of one daemon do not all begin at once. */
export const CHECK_JITTER = 0.2
/** After a failure that is not the location's own (a full disk) it is tried again. */
export const RETRY_MS = 60_000
/** How long a job that resumes waits for its library to be open and its location to be set up. */
export const PREPARE_TIMEOUT_MS = 60_000
/** Letters of a name; it is shown in lists. */
export const MAX_NAME_LENGTH = 255
export const MAX_IGNORE_PATTERNS = 1_000
export const MAX_EXTENSIONS = 1_000
