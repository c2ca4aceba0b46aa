import { textFromBytes } from '../base/index.js'
import { FLAG, KIND } from '../entries/index.js'
import { extensionOf } from '../file-types/index.js'
import type { Sql } from '../sql/index.js'
import type { Hits } from './hits.js'
import { kindsOf, type Row, type Rows } from './rows.js'
import { leavesOutHidden, type SaidOfEntries } from './said.js'
import type { SearchFilters } from './search.js'

/** What a search leaves out. */
export class Filter {
  readonly #sql: Sql
  readonly #filters: SearchFilters
  readonly #roots: readonly number[] | undefined
  readonly #hits: Hits
  readonly #entries: ReadonlySet<number> | undefined
  readonly #hidden: ReadonlySet<number>
  readonly #types: ReadonlySet<number> | undefined
  readonly #forms: ReadonlySet<number> | undefined
  readonly #extensions: ReadonlySet<string> | undefined

  constructor(sql: Sql, filters: SearchFilters, hits: Hits, said: SaidOfEntries, roots?: readonly number[]) {
    this.#sql = sql
    this.#filters = filters
    this.#hits = hits
    this.#roots = roots
    this.#entries = said.marked(filters)
    this.#hidden = leavesOutHidden(filters) ? said.hidden() : new Set()
    const kinds = kindsOf(filters)
    this.#forms = kinds === undefined ? undefined : new Set(kinds.forms)
    this.#types = kinds === undefined ? undefined : new Set(kinds.types)
    this.#extensions = filters.extensions === undefined ? undefined : new Set(filters.extensions)
  }

  /** The only entries that can pass, where what people said of them decides. */
  get entries(): ReadonlySet<number> | undefined {
    return this.#entries
  }

  passes(row: Row): boolean {
    if (!this.fits(row)) return false
    if (this.#entries !== undefined && !this.#entries.has(row.id)) return false
    if (this.#hidden.size > 0 && this.#hits.isBelowAny(row, this.#hidden)) return false
    if (this.#filters.duplicates === true && !this.#isDuplicate(row)) return false
    return this.#roots === undefined || this.#roots.some(root => this.#hits.isBelow(row, root))
  }

  /** What the row itself tells: rules, kind, extension, size, time. */
  fits(row: Row): boolean {
    const f = this.#filters
    if ((row.flags & FLAG.EXCLUDED) !== 0 && f.excluded !== true) return false
    if (this.#forms !== undefined || this.#types !== undefined) {
      const byForm = this.#forms?.has(row.kind) ?? false
      const byType = row.kind === KIND.FILE && (this.#types?.has(row.type) ?? false)
      if (!byForm && !byType) return false
    }
    if (this.#extensions !== undefined && !this.#extensions.has(extensionOf(textFromBytes(row.name)))) return false
    const sized = f.largerBytes !== undefined || f.smallerBytes !== undefined
    const size = sized && row.kind === KIND.DIRECTORY ? this.#hits.sizeBelow(row.id) : row.size
    if (f.largerBytes !== undefined && size <= f.largerBytes) return false
    if (f.smallerBytes !== undefined && size >= f.smallerBytes) return false
    if (f.modifiedAfterMs !== undefined && row.mtimeMs < f.modifiedAfterMs) return false
    return f.modifiedBeforeMs === undefined || row.mtimeMs < f.modifiedBeforeMs
  }

  #isDuplicate(row: Row): boolean {
    if (row.content === null || row.size === 0 || (row.flags & FLAG.STALE) !== 0) return false
    const same = this.#sql
      .prepare<{ n: number }>(
        `SELECT count(*) AS n FROM (SELECT 1 FROM entries WHERE content = ? AND flags & ${FLAG.STALE} = 0 LIMIT 2)`
      )
      .get([row.content])
    return (same?.n ?? 0) > 1
  }

  /** Files whose content another one has as well: largest first, those with one content together. */
  *duplicates(rows: Rows): Iterable<Row> {
    const contents = this.#sql.prepare<{ id: number }>(
      `SELECT c.id FROM contents c WHERE c.size > 0
         AND (SELECT count(*) FROM (SELECT 1 FROM entries e WHERE e.content = c.id LIMIT 2)) = 2
       ORDER BY c.size DESC, c.id`
    )
    const entries = this.#sql.prepare<{ id: number }>('SELECT id FROM entries WHERE content = ? ORDER BY id')
    for (const content of contents.all()) {
      for (const { id } of entries.all([content.id])) {
        const row = rows.get(id)
        if (row !== undefined && this.passes(row)) yield row
      }
    }
  }
}
