import type { AbsPath, Clock, JobId, Random, WorkerPool } from '../../storage/base/index.js'
import type { Files } from '../../storage/files/index.js'
import type { Database } from '../../storage/sql/index.js'
import type { Trash } from '../../storage/trash/index.js'
import type { Volumes } from '../../storage/volumes/index.js'
import type { IndexPlaces } from '../analysis/index.js'

/** What a copy needs of the rest of the program. */
export interface CopyComponents {
  readonly db: Database
  readonly files: Files
  readonly pool: WorkerPool
  readonly clock: Clock
  readonly random: Random
  /** Where what is replaced goes. */
  readonly trash: Pick<Trash, 'binsFor' | 'put'>
  readonly volumes: Pick<Volumes, 'volumeOf'>
  /** What the indexes know of the sources. */
  readonly index: Pick<IndexPlaces, 'placesOf'>
  /** Folders that are never copied: data directories, open libraries. */
  ours(): readonly AbsPath[]
  /** For tests and measurements: whether the destination is indexed beside the copying; unless told, where it pays. */
  readonly indexDestination?: boolean | undefined
  /** For tests: CHECKPOINT_BYTES. */
  readonly checkpointBytes?: number | undefined
  /** Lets a job rest until somebody resumes it. */
  pause(job: JobId, because: string): Promise<void>
}
