/**
 * Search: names by a trigram index, ranked (the whole name, its beginning, the beginning of a word in it, inside; then the
 * shorter path, then the newer), with filters; one or two letters and filters alone by looking through the rows. Entries
 * that the trigram index does not hold yet are looked through as well, so that nothing recorded is ever missed.
 *
 *   const { hits, more } = await search({ pool, own, networkMounts }).search(library, { text: 'holiday 2024' })
 *
 * Within one rank the order is exact among WINDOW names found at a time (the newest entries first), not among all of a
 * hundred thousand: that keeps the answer within milliseconds.
 */
import { type AbortOptions, type AbsPath, SpacedriveError, type WorkerPool } from '../base/index.js'
import type { Library } from '../libraries/index.js'
import { placesOf } from './places.js'
import { DEFAULT_LIMIT, MAX_LIMIT, MAX_OFFSET, type Search, type SearchAnswer, type SearchHit } from './search.js'
import { type FindInput, type Held, type RankedHit, searching } from './search.worker.js'

export type { Search, SearchAnswer, SearchFilters, SearchHit, SearchRequest } from './search.js'
export { DEFAULT_LIMIT, MAX_LIMIT, MAX_OFFSET } from './search.js'

export interface SearchInit {
  pool: WorkerPool
  /** The library that holds the rows of synced folders (`locations.shared`). */
  own(): Library
  /** Where file systems of servers are mounted: a search does not wait for a server that is away. */
  networkMounts(): readonly AbsPath[]
}

export function search({ pool, own, networkMounts }: SearchInit): Search {
  async function ranked(library: Library, request: FindInput['request'], options: AbortOptions): Promise<RankedHit[]> {
    const places = placesOf(library, own(), request.filters)
    const several = Object.values(places).filter(place => place !== undefined).length > 1
    // Answers that are put together all begin at 0: which page a hit belongs to is known only then.
    const asked = several ? { ...request, limit: request.limit + request.offset, offset: 0 } : request
    const input = { ...heldBy(library), request: asked }
    const answers = await Promise.all([
      places.here && pool.run(searching.find, { ...input, ...places.here }, options),
      places.own &&
        pool.run(searching.find, { ...input, ...heldBy(own()), said: heldBy(library), ...places.own }, options),
      places.elsewhere &&
        pool.run(searching.notIndexed, { ...input, own: heldBy(own()), network: networkMounts() }, options)
    ])
    const found = answers.flatMap(answer => answer ?? [])
    return several ? found.sort((a, b) => a.fit - b.fit || a.pathBytes - b.pathBytes) : found
  }
  return {
    async search(
      library,
      { text, filters = {}, limit = DEFAULT_LIMIT, offset = 0 },
      options = {}
    ): Promise<SearchAnswer> {
      if (limit < 1 || limit > MAX_LIMIT || offset < 0 || offset > MAX_OFFSET) {
        throw new SpacedriveError(
          'BAD_INPUT',
          `a search gives 1 to ${MAX_LIMIT} results from the first ${MAX_OFFSET} on`
        )
      }
      const from = performance.now()
      const found = await ranked(library, { text, filters, limit, offset }, options)
      const hits: SearchHit[] = found.slice(offset, offset + limit).map(r => r.hit)
      return { hits, more: found.length > offset + limit, tookMs: performance.now() - from }
    }
  }
}

const heldBy = ({ database, host }: Library): Held => ({ databaseFile: database.file, host })
