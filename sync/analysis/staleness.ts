import type { AbortOptions, RelPath, WorkerPool } from '../../storage/base/index.js'
import {
  type Confidence,
  type ConfidenceReason,
  confidenceOf,
  type FileSystemFacts,
  type StaleWhy
} from './freshness.js'
import type { IndexPlace } from './places.js'
import { checking } from './staleness.worker.js'

/** A directory whose listing in the index does not hold any more. */
export interface StaleSubtree {
  readonly path: RelPath
  readonly why: StaleWhy
}

/** How far the index of a tree can be believed, from one look at each of its directories. */
export interface StalenessReport {
  readonly directories: number
  readonly staleDirectories: number
  /** The tree's own top is stale: what is right in it is not known. */
  readonly fullyStale: boolean
  /**
   * In tree order; the first MAX_REPORTED. What lies below one that `changed` or is `too-recent` was judged by itself and may
   * stand in `fresh`; nothing below any other one holds.
   */
  readonly stale: readonly StaleSubtree[]
  /** The largest subtrees in which every directory holds, in tree order; '' when all of it does. */
  readonly fresh: readonly RelPath[]
  /** There are more than are named. */
  readonly truncated: boolean
  readonly confidence: Confidence
  readonly reasons: readonly ConfidenceReason[]
}

export interface StalenessInit {
  readonly pool: WorkerPool
  readonly place: IndexPlace
  readonly facts: FileSystemFacts
  readonly ours?: readonly string[] | undefined
}

/**
 * Which parts of a tree the index still knows, by each directory's times against the record of its last listing, with a second of
 * tolerance. What the watcher told since counts, where the location is watched without gaps.
 * @throws {SpacedriveError} MISSING, NO_PERMISSION for the folder itself
 */
export async function checkStaleness(
  { pool, place, facts, ours = [] }: StalenessInit,
  { signal }: AbortOptions = {}
): Promise<StalenessReport> {
  const { databaseFile, entry, path, watched } = place
  const rules = { watched, timeStepNs: facts.timeStepNs }
  const { byWatcher, ...checked } = await pool.run(
    checking.check,
    { databaseFile, entry, path, rules, ours },
    { signal }
  )
  return { ...checked, fullyStale: checked.stale[0]?.path === '', ...confidenceOf(facts, byWatcher) }
}
