/** What every folder may use: errors, cancellation, log, ids, paths, events, clock, worker pool. Knows nothing of files or databases. */
export { type AbortOptions, deadline, type LinkedSignals, linkSignals, raceSignal } from './abort.js'
export { type Clock, type Random, systemClock, systemRandom } from './clock.js'
export {
  type ErrorInit,
  errorCode,
  fromPlainError,
  hasCode,
  isAbort,
  type PlainError,
  type Problem,
  SpacedriveError,
  toError,
  toPlainError
} from './errors.js'
export type { EventMap, ProgressDetail, ProgressFields } from './event-map.js'
export { type AnyEvent, type EventBus, type EventName, type EventOf, eventBus } from './events.js'
export { collectGarbage, flagsWereOurs, HEAP_LIMITS, shrinkHeap } from './heap.js'
export * from './ids.js'
export { type KeepsMemory, letGoOfMemory, letsGoAtRest } from './kept-memory.js'
export type { Startable } from './lifecycle.js'
export { type LogFields, type Logger, silentLog } from './log.js'
export * from './paths.js'
export { patientTimer } from './patient-timer.js'
export { loaded, packedUrl, THREAD_DATA, threadDied } from './program.js'
export { cleanName, MAX_NAME_GRAPHEMES, MAX_SHOWN_NAME_BYTES } from './shown-name.js'
export {
  addressOf,
  defineTasks,
  findTask,
  type LinkContext,
  type TaskAddress,
  type TaskContext,
  type TaskFunction
} from './tasks.js'
export { typed } from './typed.js'
export { type Link, type RunOptions, type WorkerPool, workerPool } from './workers.js'
