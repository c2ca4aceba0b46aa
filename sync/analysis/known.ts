import type { AbortOptions, ContentHash, RelPath, WorkerPool } from '../../storage/base/index.js'
import { fromColumns, pulled, type TreeEntry } from '../endpoints/index.js'
import type { StaleWhy } from './freshness.js'
import { type KnownColumns, knowing } from './known.worker.js'
import type { IndexPlace } from './places.js'

/** Some of what the index knows of a tree, and what it does not. */
export interface KnownPage {
  /**
   * In tree order; paths below the place that was asked about. Of directories that a look found as they were when they were
   * listed. `links` 0 and no target of a symlink: the index does not keep them. A file may have been written to since: it is looked at when
   * it is taken.
   */
  readonly entries: readonly TreeEntry[]
  /** For each entry the hash that its row vouches for; only when asked for. */
  readonly hashes?: readonly (ContentHash | undefined)[] | undefined
  /**
   * Directories of which the names were not told: the disk has to. Those in one that `changed` or is `too-recent` were judged by
   * themselves; of any other nothing was told below either.
   */
  readonly stale: readonly { readonly path: RelPath; readonly why: StaleWhy }[]
  /** Likewise, because a rule keeps them out of the index. */
  readonly filtered: readonly RelPath[]
  /** For some directory so far only the watcher vouches. */
  readonly byWatcher: boolean
}

export interface KnownOptions extends AbortOptions {
  readonly ours?: readonly string[] | undefined
  readonly timeStepNs?: bigint | undefined
  /** Ends after about so many entries. */
  readonly limit?: number | undefined
  readonly hashes?: boolean | undefined
}

/** What the index holds of a tree on this device, checked directory by directory: the first page comes within milliseconds. */
export async function* knownTree(
  pool: WorkerPool,
  { databaseFile, entry, path, watched }: IndexPlace,
  options: KnownOptions = {}
): AsyncGenerator<KnownPage> {
  const { ours = [], timeStepNs = 1n, limit = Number.POSITIVE_INFINITY, hashes = false, signal } = options
  const input = { databaseFile, entry, path, ours, limit, hashes, rules: { watched, timeStepNs } }
  for await (const page of pulled<typeof input, KnownColumns>(pool, knowing.known, input, { signal })) {
    const { columns, ...rest } = page
    yield { ...rest, entries: fromColumns(columns) }
  }
}
