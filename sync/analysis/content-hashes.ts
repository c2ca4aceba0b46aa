import {
  type AbortOptions,
  type ContentHash,
  isAbort,
  type Problem,
  type RelPath,
  type WorkerPool
} from '../../storage/base/index.js'
import type { Endpoint, TreeEntry } from '../endpoints/index.js'
import { hashesOf } from './hashes.worker.js'
import type { IndexPlace } from './places.js'

/** The content of a file as its hash, and who told it: the index, whose stat vouches for it, or a read of the whole file. */
export type ContentOf =
  | {
      readonly path: RelPath
      readonly hash: ContentHash
      readonly from: 'index' | 'disk'
      readonly problem?: undefined
    }
  | { readonly path: RelPath; readonly problem: Problem }

export interface ContentHashesInit extends AbortOptions {
  readonly endpoint: Endpoint
  readonly pool: WorkerPool
  /** Where an index holds the endpoint's root; without it every file is read. */
  readonly place?: IndexPlace | undefined
  readonly onBytes?: ((bytes: number) => void) | undefined
}

/**
 * Hashes of files that were just looked at, in their order. What the index knows is not read: its hash counts when the file's
 * stat is the one it was hashed with and that stat was no racy one (SYNC.md 1).
 */
export async function* contentHashes(
  files: readonly TreeEntry[],
  { endpoint, pool, place, onBytes, signal }: ContentHashesInit
): AsyncGenerator<ContentOf> {
  const known = await knownHashes(files, pool, place, signal)
  const rest = files.filter((_, i) => known[i] === undefined).map(file => file.path)
  const read = endpoint.hash(rest, { onBytes, signal })[Symbol.asyncIterator]()
  try {
    for (const [i, { path }] of files.entries()) {
      const hash = known[i]
      if (hash !== undefined) yield { path, hash, from: 'index' }
      else {
        const { value } = await read.next()
        yield value.problem === undefined ? { path, hash: value.hash, from: 'disk' } : { path, problem: value.problem }
      }
    }
  } finally {
    await read.return?.()
  }
}

async function knownHashes(
  files: readonly TreeEntry[],
  pool: WorkerPool,
  place: IndexPlace | undefined,
  signal: AbortSignal | undefined
): Promise<readonly (ContentHash | undefined)[]> {
  if (place === undefined) return files.map(() => undefined)
  const { databaseFile, entry } = place
  const keys = files.map(({ path, stat }) => {
    const { sizeBytes, mtimeNs, ctimeNs, inode, birthNs } = stat
    return { path, sizeBytes, mtimeNs, ctimeNs, inode, birthNs }
  })
  try {
    return await pool.run(hashesOf.known, { databaseFile, entry, files: keys }, { signal })
  } catch (err) {
    signal?.throwIfAborted()
    if (isAbort(err)) throw err
    // An index that cannot be read any more knows nothing: the files are.
    return files.map(() => undefined)
  }
}
