import { namesUpto, searchText } from '../entries/index.js'
import type { Sql } from '../sql/index.js'
import { Filter } from './filter.js'
import { Hits } from './hits.js'
import { expressionOf, FIT, fitOf, fitsTier, parseQuery, type Query, TIERS } from './query.js'
import { type Row, Rows, WINDOW } from './rows.js'
import type { SaidOfEntries } from './said.js'
import type { FindInput, RankedHit } from './search.worker.js'

/** Rows looked through where no trigram helps (one or two letters, filters alone), the newest: a second at most. */
const MAX_SCANNED = 5_000_000
/** Above every id. */
const END = Number.MAX_SAFE_INTEGER

interface Candidate {
  row: Row
  fit: number
  pathBytes: number
}

export class Finder {
  readonly #input: FindInput
  readonly #query: Query
  readonly #filter: Filter
  readonly #hits: Hits
  readonly #rows: Rows
  /** Entries above it are not in the trigram index yet. */
  readonly #upto: number
  readonly #wanted: number
  readonly #result: Candidate[] = []

  constructor(sql: Sql, input: FindInput, said: SaidOfEntries) {
    this.#input = input
    this.#query = parseQuery(input.request.text)
    this.#hits = new Hits(sql, input.host, said)
    this.#filter = new Filter(sql, input.request.filters, this.#hits, said, input.roots)
    this.#rows = new Rows(sql, this.#query, input.request.filters)
    this.#upto = namesUpto(sql)
    this.#wanted = input.request.offset + input.request.limit + 1
  }

  find(): RankedHit[] {
    if (this.#query.words.length === 0) this.#byFilters()
    else this.#byName()
    const { offset, limit } = this.#input.request
    return this.#result.slice(0, offset + limit + 1).map(({ row, fit, pathBytes }, i) => ({
      hit: i < offset ? (undefined as never) : this.#hits.hit(row),
      fit,
      pathBytes
    }))
  }

  /** Best fits first: the whole name, its beginning, words in it. Names that the index does not hold yet come with each. */
  #byName(): void {
    if (this.#filter.entries !== undefined) {
      this.#takeMarked(this.#filter.entries)
      return
    }
    for (const tier of TIERS) {
      const expression = expressionOf(tier, this.#query, this.#input.request.filters.extensions)
      const fits = (fit: number): boolean => fitsTier(fit, tier)
      const fresh: Candidate[] = []
      this.#page(
        below => this.#rows.between(this.#upto, below, tier),
        END,
        fits,
        page => {
          fresh.push(...page)
          return fresh.length >= this.#wanted + WINDOW
        }
      )
      this.#page(
        below =>
          expression === undefined
            ? this.#rows.between(this.#upto - MAX_SCANNED, below, tier)
            : this.#rows.matching(expression, below, tier),
        this.#upto + 1,
        fits,
        page => {
          this.#take([...fresh.splice(0), ...page])
          return this.#result.length >= this.#wanted
        }
      )
      if (this.#result.length >= this.#wanted) return
    }
  }

  #byFilters(): void {
    if (this.#input.request.filters.duplicates === true) {
      for (const row of this.#filter.duplicates(this.#rows)) {
        this.#result.push({ row, fit: FIT.INSIDE, pathBytes: this.#hits.pathBytes(row) })
        if (this.#result.length >= this.#wanted + WINDOW) return
      }
    } else if (this.#filter.entries !== undefined) this.#takeMarked(this.#filter.entries)
    else {
      const found: Candidate[] = []
      this.#page(
        below => this.#rows.between(0, below),
        END,
        () => true,
        page => {
          found.push(...page)
          return found.length >= this.#wanted + WINDOW
        }
      )
      this.#take(found)
    }
  }

  /** Entries that people said something of: few, so that each is looked at. */
  #takeMarked(ids: ReadonlySet<number>): void {
    const found: Candidate[] = []
    for (const id of ids) {
      const row = this.#rows.get(id)
      const candidate = row === undefined ? undefined : this.#candidate(row)
      if (candidate !== undefined) found.push(candidate)
    }
    this.#take(found)
  }

  /**
   * Reads page after page, the newest entries first, until there are no more or `take` says it is enough: a search for
   * three letters that half of all names hold costs no more than one that few hold.
   */
  #page(
    read: (below: number) => readonly Row[],
    from: number,
    fits: (fit: number) => boolean,
    take: (page: Candidate[]) => boolean
  ): void {
    for (let below = from; ; ) {
      const rows = read(below)
      const page = rows.map(row => this.#candidate(row)).filter(c => c !== undefined && fits(c.fit))
      if (take(page as Candidate[]) || rows.length < WINDOW) return
      below = rows.at(-1)!.id
    }
  }

  #candidate(row: Row): Candidate | undefined {
    const fit = fitOf(searchText(row.name).toLowerCase(), this.#query)
    if (fit === undefined || !this.#filter.passes(row)) return undefined
    return { row, fit, pathBytes: this.#hits.pathBytes(row) }
  }

  #take(found: Candidate[]): void {
    found.sort(
      (a, b) => a.fit - b.fit || a.pathBytes - b.pathBytes || b.row.mtimeMs - a.row.mtimeMs || a.row.id - b.row.id
    )
    this.#result.push(...found)
  }
}
