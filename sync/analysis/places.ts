import {
  type AbortOptions,
  type AbsPath,
  type ContentHash,
  isWithin,
  type LibraryId,
  type LocationId,
  type WorkerPool
} from '../../storage/base/index.js'
import type { TreeSums } from '../../storage/entries/index.js'
import type { EntryStat } from '../../storage/files/index.js'
import type { Library, LibraryManager } from '../../storage/libraries/index.js'
import type { Freshness, LocationState, Locations } from '../../storage/locations/index.js'
import { placing } from './places.worker.js'

/** Where an index holds a path: plain, to be handed to workers. Good until its library is closed. */
export interface IndexPlace {
  readonly path: AbsPath
  readonly library: LibraryId
  readonly location: LocationId
  readonly locationPath: AbsPath
  readonly databaseFile: string
  /** Its row. */
  readonly entry: number
  readonly kind: EntryStat['kind']
  readonly freshness: Freshness
  /** Watched without gaps, and nothing is being indexed there just now. */
  readonly watched: boolean
  /** What lies below it, as the index has it. */
  readonly sums: TreeSums
}

/** A file that held some content when the index last looked at it. */
export interface IndexedCopy {
  readonly library: LibraryId
  readonly path: AbsPath
  readonly sizeBytes: number
  readonly mtimeNs: bigint
  /** Nothing that the index knows speaks against its still being so. A look at the file decides. */
  readonly vouched: boolean
}

/** What an index recorded of a file when it hashed it. */
export interface RecordedFile {
  readonly hash: ContentHash
  readonly sizeBytes: number
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
  /** 0 where the file system keeps none. */
  readonly inode: bigint
  /** Other bytes under the same stat are no edit: the stat was far enough from the hashing, and nothing changed since. */
  readonly vouches: boolean
}

export interface IndexPlacesInit {
  readonly pool: WorkerPool
  readonly libraries: Pick<LibraryManager, 'own' | 'opened'>
  readonly locations: Pick<Locations, 'states'>
}

/** What the indexes of all open libraries know of a path or a content: for copy, sync and whoever looks for files. */
export interface IndexPlaces {
  /**
   * Every index that holds this path, the best first: fresh before stale, the closer location before the wider. Empty: none.
   * @param path - absolute, without links
   */
  placesOf(path: AbsPath, options?: AbortOptions): Promise<readonly IndexPlace[]>
  /** The locations of this device that lie at or below a path. */
  locationsBelow(path: AbsPath): readonly LocationState[]
  /** Where files with this content lie, in all open libraries; at most `limit` (100). */
  copiesOf(hash: ContentHash, options?: { limit?: number } & AbortOptions): Promise<readonly IndexedCopy[]>
  /** What is recorded of files, in the order given; of one that several indexes know, what vouches before what does not. */
  recordedOf(paths: readonly AbsPath[], options?: AbortOptions): Promise<readonly (RecordedFile | undefined)[]>
}

const MAX_COPIES = 100
const ORDER: readonly Freshness[] = ['fresh', 'partial', 'stale', 'unknown']

export function indexPlaces({ pool, libraries, locations }: IndexPlacesInit): IndexPlaces {
  const all = (): readonly Library[] => [libraries.own, ...libraries.opened()]

  return {
    async placesOf(path, { signal } = {}) {
      const around = locations.states().filter(l => isWithin(path, l.path))
      const places: IndexPlace[] = []
      for (const library of all()) {
        const [location] = around.filter(l => l.library === library.id).sort((a, b) => b.path.length - a.path.length)
        if (location === undefined) continue
        const { file: databaseFile } = library.database
        const found = await pool.run(placing.find, { databaseFile, host: library.host, path }, { signal })
        if (found !== undefined) places.push({ ...found, ...factsOf(location), path, databaseFile })
      }
      return places.sort(
        (a, b) =>
          ORDER.indexOf(a.freshness) - ORDER.indexOf(b.freshness) || b.locationPath.length - a.locationPath.length
      )
    },

    locationsBelow: path => locations.states().filter(l => isWithin(l.path, path)),

    async copiesOf(hash, { limit = MAX_COPIES, signal } = {}) {
      const copies: IndexedCopy[] = []
      for (const library of all()) {
        if (copies.length >= limit) break
        const { file: databaseFile } = library.database
        const input = { databaseFile, host: library.host, hash, limit: limit - copies.length }
        const found = await pool.run(placing.copies, input, { signal })
        copies.push(...found.map(copy => ({ ...copy, library: library.id })))
      }
      return copies
    },

    async recordedOf(paths, { signal } = {}) {
      const found: (RecordedFile | undefined)[] = paths.map(() => undefined)
      for (const library of all()) {
        const { file: databaseFile } = library.database
        const input = { databaseFile, host: library.host, paths }
        const some = await pool.run(placing.recorded, input, { signal })
        for (const [i, file] of some.entries()) if (found[i]?.vouches !== true) found[i] = file ?? found[i]
      }
      return found
    }
  }
}

function factsOf({
  id,
  library,
  path,
  freshness,
  watchedBy,
  activity
}: LocationState): Pick<IndexPlace, 'library' | 'location' | 'locationPath' | 'freshness' | 'watched'> {
  const watched = watchedBy !== null && freshness === 'fresh' && activity === 'idle'
  return { library, location: id, locationPath: path, freshness, watched }
}
