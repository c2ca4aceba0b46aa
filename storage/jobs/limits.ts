/** Jobs at work at once. Most of their time they wait for the pool (2 to 8 threads); more would only share its queue. */
export const MAX_RUNNING = 4
/** Critical jobs that may run beside a full house, so that they never wait for an hour of indexing. */
export const CRITICAL_EXTRA = 1
/** Jobs that wait: far above what a person makes, low enough that a program gone wild is told so. */
export const MAX_WAITING = 10_000
/** The encoded state of a job. It is encoded on the event loop: 1 MiB takes about 10 ms. What grows with a tree belongs in a table. */
export const MAX_STATE_BYTES = 1024 * 1024
/** Milliseconds between two progress events of one job: ten a second. */
export const PROGRESS_INTERVAL_MS = 100
/** Lines of log kept for a job, the newest: enough to see what went on, 200 KB at most. */
export const MAX_LOG_LINES = 1_000
/** Characters of one line of log or problem text. */
export const MAX_TEXT = 2_000
/** Problems stored for a job, the first ones; all are counted. */
export const MAX_STORED_PROBLEMS = 1_000
/** Ended jobs are kept this long, and no more than so many of them. */
export const RETENTION_MS = 30 * 24 * 3600 * 1000
export const MAX_ENDED_JOBS = 1_000
/** Ends of the process in one phase without a checkpoint between, after which a job waits for a person instead of trying again. */
export const MAX_CRASHES = 3
/** How long the end of the program waits for phases to notice; what has not by then resumes from its last checkpoint. */
export const STOP_DEADLINE_MS = 5_000
/** Depth of child jobs: a job that spawns itself is a mistake, seen here. */
export const MAX_JOB_DEPTH = 8
/** Lines of phase history kept for a job, the newest. */
export const MAX_HISTORY = 200
