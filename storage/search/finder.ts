import { namesUpto, searchText } from '../entries/index.js'
import type { Sql } from '../sql/index.js'
import { Filter, type Row } from './filter.js'
import { Hits } from './hits.js'
import { expressionOf, FIT, fitOf, parseQuery, type Query } from './query.js'
import type { SaidOfEntries } from './said.js'
import type { FindInput, RankedHit } from './search.worker.js'

/**
 * Names found by the trigram index are taken in stretches, the newest entries first, and put in order within a stretch:
 * a search for three letters that half of all names hold costs no more than one that few hold.
 */
const WINDOW = 500
/** Rows looked through where no trigram helps (one or two letters, filters alone): some 200 ms at most. */
const MAX_SCANNED = 1_000_000

interface Candidate {
  row: Row
  fit: number
  pathBytes: number
}

export class Finder {
  readonly #sql: Sql
  readonly #input: FindInput
  readonly #query: Query
  readonly #filter: Filter
  readonly #hits: Hits
  readonly #wanted: number
  readonly #result: Candidate[] = []

  constructor(sql: Sql, input: FindInput, said: SaidOfEntries) {
    this.#sql = sql
    this.#input = input
    this.#query = parseQuery(input.request.text)
    this.#hits = new Hits(sql, input.host, said)
    this.#filter = new Filter(sql, input.request.filters, this.#hits, said, input.roots)
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
    const extensions = this.#input.request.filters.extensions
    const extension = extensions?.length === 1 ? extensions[0] : undefined
    const fresh = this.#fresh()
    for (const tier of ['exact', 'prefix', 'words'] as const) {
      const fits = (fit: number): boolean =>
        tier === 'exact' ? fit === FIT.EXACT : tier === 'prefix' ? fit === FIT.PREFIX : fit >= FIT.WORD
      const own = fresh.filter(c => fits(c.fit))
      const expression = expressionOf(tier, this.#query, extension)
      if (expression === undefined) this.#scan(fits, own)
      else this.#match(expression, fits, own)
      if (this.#result.length >= this.#wanted) return
    }
  }

  #match(expression: string, fits: (fit: number) => boolean, first: readonly Candidate[]): void {
    const page = this.#sql.prepare<{ rowid: number }>(
      `SELECT rowid FROM names WHERE names MATCH ? AND rowid < ? ORDER BY rowid DESC LIMIT ${WINDOW}`
    )
    let window = [...first]
    for (let below = Number.MAX_SAFE_INTEGER; ; ) {
      const ids = page.all([expression, below])
      for (const { rowid } of ids) {
        const row = this.#filter.row(rowid)
        const candidate = row === undefined ? undefined : this.#candidate(row)
        if (candidate !== undefined && fits(candidate.fit)) window.push(candidate)
      }
      this.#take(window)
      window = []
      if (ids.length < WINDOW || this.#result.length >= this.#wanted) return
      below = ids.at(-1)!.rowid
    }
  }

  /** Without trigrams: rows, the newest first, until there are enough. */
  #scan(fits: (fit: number) => boolean, first: readonly Candidate[]): void {
    const found = [...first]
    const upto = namesUpto(this.#sql)
    let scanned = 0
    for (const row of this.#filter.rowsUpto(upto)) {
      const candidate = this.#candidate(row)
      if (candidate !== undefined && fits(candidate.fit)) found.push(candidate)
      if (++scanned >= MAX_SCANNED || this.#result.length + found.length >= this.#wanted + WINDOW) break
    }
    this.#take(found)
  }

  #byFilters(): void {
    const found: Candidate[] = []
    for (const row of this.#filter.allRows(MAX_SCANNED)) {
      found.push({ row, fit: FIT.INSIDE, pathBytes: this.#hits.pathBytes(row) })
      if (found.length >= this.#wanted + WINDOW) break
    }
    if (this.#input.request.filters.duplicates === true) this.#result.push(...found)
    else this.#take(found)
  }

  /** Entries that the trigram index does not hold yet. */
  #fresh(): Candidate[] {
    const found: Candidate[] = []
    for (const row of this.#filter.rowsAbove(namesUpto(this.#sql))) {
      const candidate = this.#candidate(row)
      if (candidate !== undefined) found.push(candidate)
    }
    return found
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
