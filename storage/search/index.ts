/**
 * Search: names by a trigram index, ranked (the whole name, its beginning, the beginning of a word in it, inside; then the
 * shorter path, then the newer), with filters; one or two letters and filters alone by looking through the rows. Entries
 * that the trigram index does not hold yet are looked through as well, so that nothing recorded is ever missed.
 *
 *   const { hits, more } = await search({ pool, own: () => manager.own }).search(library, { text: 'holiday 2024' })
 *
 * Within one rank the order is exact among WINDOW names found at a time (the newest entries first), not among all of a
 * hundred thousand: that keeps the answer within milliseconds.
 */
import { type AbortOptions, SpacedriveError, type WorkerPool } from '../base/index.js'
import type { Library } from '../libraries/index.js'
import {
  DEFAULT_LIMIT,
  MAX_LIMIT,
  MAX_OFFSET,
  type Search,
  type SearchAnswer,
  type SearchHit,
  type SearchRequest
} from './search.js'
import { type RankedHit, searching } from './search.worker.js'

export type { Search, SearchAnswer, SearchFilters, SearchHit, SearchRequest } from './search.js'
export { DEFAULT_LIMIT, MAX_LIMIT, MAX_OFFSET } from './search.js'

export interface SearchInit {
  pool: WorkerPool
  /** The library that holds the rows of synced folders (`locations.shared`). */
  own(): Library
}

export function search({ pool, own }: SearchInit): Search {
  const find = (
    library: Library,
    request: SearchRequest,
    roots: readonly number[] | undefined,
    options: AbortOptions
  ) => {
    const { text, filters = {}, limit = DEFAULT_LIMIT, offset = 0 } = request
    const input = { databaseFile: library.database.file, host: library.host }
    return pool.run(
      searching.find,
      { ...input, request: { text, filters, limit, offset }, ...(roots === undefined ? {} : { roots }) },
      options
    )
  }
  return {
    async search(library, request, options = {}): Promise<SearchAnswer> {
      const { limit = DEFAULT_LIMIT, offset = 0 } = request
      if (limit < 1 || limit > MAX_LIMIT || offset < 0 || offset > MAX_OFFSET) {
        throw new SpacedriveError(
          'BAD_INPUT',
          `a search gives 1 to ${MAX_LIMIT} results from the first ${MAX_OFFSET} on`
        )
      }
      const from = performance.now()
      const roots = sharedRoots(library, own)
      let ranked: RankedHit[] = await find(library, request, undefined, options)
      if (roots.length > 0) {
        // Both answers begin at 0: which page a hit belongs to is known only when they are put together.
        const whole = { ...request, limit: limit + offset, offset: 0 }
        const both = [await find(library, whole, undefined, options), await find(own(), whole, roots, options)]
        ranked = both.flat().sort((a, b) => a.fit - b.fit || a.pathBytes - b.pathBytes)
      }
      const hits: SearchHit[] = ranked.slice(offset, offset + limit).map(r => r.hit)
      return { hits, more: ranked.length > offset + limit, tookMs: performance.now() - from }
    }
  }
}

/** Entries in `own` at which the locations of a library begin whose rows it does not hold itself. */
function sharedRoots(library: Library, own: () => Library): number[] {
  if (library.kind === 'own') return []
  const shared = library.database.all<{ path: Uint8Array }>(
    'SELECT path FROM locations WHERE shared = 1 AND host = ?',
    [library.host]
  )
  if (shared.length === 0) return []
  const { database, host } = own()
  return shared.flatMap(({ path }) => {
    const entry = database.get<{ entry: number | null }>('SELECT entry FROM locations WHERE host = ? AND path = ?', [
      host,
      path
    ])
    return entry?.entry == null ? [] : [entry.entry]
  })
}
