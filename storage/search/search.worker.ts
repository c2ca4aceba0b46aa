import { defineTasks } from '../base/index.js'
import { type Sql, withReader } from '../sql/index.js'
import { Finder } from './finder.js'
import type { SearchHit, SearchRequest } from './search.js'

export interface FindInput {
  readonly databaseFile: string
  readonly host: number
  readonly request: Required<Pick<SearchRequest, 'text' | 'filters' | 'limit' | 'offset'>>
  /** Only below one of these entries (locations whose rows another library holds). */
  readonly roots?: readonly number[]
}

/** A hit with what it is ordered by, so that answers of two databases can be put together. */
export interface RankedHit {
  readonly hit: SearchHit
  readonly fit: number
  readonly pathBytes: number
}

export const searching = defineTasks(import.meta.url, {
  /** The best `offset + limit + 1` hits, in order. */
  find(input: FindInput): RankedHit[] {
    return withReader(input.databaseFile, (sql: Sql) => new Finder(sql, input).find())
  }
})
