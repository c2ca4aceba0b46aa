import type { AbortOptions, AbsPath, Clock, JobId, Problem, WorkerPool } from '../../storage/base/index.js'
import type { Files, TrashItem } from '../../storage/files/index.js'
import type { Database } from '../../storage/sql/index.js'

/** What a copy needs of the rest of the program. */
export interface CopyComponents {
  readonly db: Database
  readonly files: Files
  readonly pool: WorkerPool
  readonly clock: Clock
  readonly trash: TrashPort
  /** Folders that are never copied: data directories, open libraries. */
  ours(): readonly AbsPath[]
  /** Lets a job rest until somebody resumes it. */
  pause(job: JobId, because: string): Promise<void>
}

/** Where what is replaced goes: `storage/trash`. */
export interface TrashPort {
  binsFor(dirs: readonly AbsPath[], options?: AbortOptions): Promise<readonly (AbsPath | Problem)[]>
  put(
    items: readonly TrashItem[],
    options: { command: string; job?: JobId | undefined } & AbortOptions
  ): Promise<readonly ({ done: true } | { done: false; problem: Problem; id?: number })[]>
}
