import type { Clock, EventBus, Logger, WorkerPool } from '../base/index.js'

/** What the indexer needs of the rest. */
export interface IndexerInit {
  pool: WorkerPool
  clock: Clock
  events: EventBus
  log: Logger
  /** Absolute paths that are ours and unknown to every scan: data directories, folders of open libraries (SYNC.md 9). */
  ours(): readonly string[]
}

export interface IndexerParts extends IndexerInit {
  /** A number for a run, not used before in this process. */
  nextRun(): number
}
