import { defineTasks } from '../base/index.js'
import { type Sql, withReader } from '../sql/index.js'
import { Finder } from './finder.js'
import { notIndexed } from './not-indexed.js'
import { SaidElsewhere, SaidHere } from './said.js'
import type { SearchHit, SearchRequest } from './search.js'

/** A database, and the row of `hosts` that stands for this device in it. */
export interface Held {
  readonly databaseFile: string
  readonly host: number
}

export interface FindInput extends Held {
  readonly request: Required<Pick<SearchRequest, 'text' | 'filters' | 'limit' | 'offset'>>
  /** Only below one of these entries. */
  readonly roots?: readonly number[]
  /** The library whose tags, labels and favourites count, where it is not the one that holds the entries. */
  readonly said?: Held
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
    const { databaseFile, host, said } = input
    return withReader(databaseFile, (sql: Sql) => {
      if (said === undefined) return new Finder(sql, input, new SaidHere(sql)).find()
      const hosts = { entries: host, people: said.host }
      return withReader(said.databaseFile, people =>
        new Finder(sql, input, new SaidElsewhere(sql, people, hosts)).find()
      )
    })
  },

  /** What bears the tags, labels or star that were asked for, and is an entry neither of the library nor of `own`. */
  notIndexed({ own, ...input }: FindInput & { own: Held; network: readonly string[] }): RankedHit[] {
    return withReader(input.databaseFile, (people: Sql) =>
      withReader(own.databaseFile, (entries: Sql) => notIndexed(people, entries, own.host, input))
    )
  }
})
