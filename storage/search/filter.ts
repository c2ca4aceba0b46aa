import { textFromBytes } from '../base/index.js'
import { CONTENT_KINDS, type ContentKind, FLAG, KIND } from '../entries/index.js'
import { extensionOf } from '../file-types/index.js'
import type { Sql, Statement } from '../sql/index.js'
import type { Hits } from './hits.js'
import type { SaidOfEntries } from './said.js'
import type { SearchFilters } from './search.js'

export interface Row {
  readonly id: number
  readonly parent: number
  readonly name: Uint8Array
  readonly kind: number
  readonly type: number
  readonly size: number
  readonly mtimeMs: number
  readonly flags: number
  readonly content: number | null
}

const COLUMNS = 'id, parent, name, kind, type, size, mtime_ns / 1000000 AS mtimeMs, flags, content'
const FORMS = { file: KIND.FILE, folder: KIND.DIRECTORY, symlink: KIND.SYMLINK } as const

/** What a search leaves out. */
export class Filter {
  readonly #sql: Sql
  readonly #filters: SearchFilters
  readonly #one: Statement<Row>
  readonly #roots: readonly number[] | undefined
  readonly #hits: Hits
  readonly #entries: ReadonlySet<number> | undefined
  readonly #types: ReadonlySet<number> | undefined
  readonly #forms: ReadonlySet<number> | undefined
  readonly #extensions: ReadonlySet<string> | undefined

  constructor(sql: Sql, filters: SearchFilters, hits: Hits, said: SaidOfEntries, roots?: readonly number[]) {
    this.#sql = sql
    this.#filters = filters
    this.#hits = hits
    this.#one = sql.prepare<Row>(`SELECT ${COLUMNS} FROM entries WHERE id = ?`)
    this.#roots = roots
    this.#entries = said.marked(filters)
    const kinds = filters.kinds ?? []
    const forms = kinds.filter((k): k is keyof typeof FORMS => k in FORMS)
    const types = kinds.filter((k): k is ContentKind => !(k in FORMS))
    this.#forms = forms.length > 0 ? new Set(forms.map(f => FORMS[f])) : undefined
    this.#types = types.length > 0 ? new Set(types.map(t => CONTENT_KINDS.indexOf(t))) : undefined
    this.#extensions = filters.extensions === undefined ? undefined : new Set(filters.extensions)
  }

  row(id: number): Row | undefined {
    return this.#one.get([id])
  }

  rowsAbove(id: number): Iterable<Row> {
    return this.#sql.prepare<Row>(`SELECT ${COLUMNS} FROM entries WHERE id > ? AND parent > 0`).iterate([id])
  }

  rowsUpto(id: number): Iterable<Row> {
    return this.#sql
      .prepare<Row>(`SELECT ${COLUMNS} FROM entries WHERE id <= ? AND parent > 0 ORDER BY id DESC`)
      .iterate([id])
  }

  /** Everything that passes, where no name is asked for. */
  *allRows(maxScanned: number): Iterable<Row> {
    if (this.#filters.duplicates === true) {
      yield* this.#duplicates()
      return
    }
    if (this.#entries !== undefined) {
      for (const id of this.#entries) {
        const row = this.row(id)
        if (row !== undefined && this.passes(row)) yield row
      }
      return
    }
    let scanned = 0
    for (const row of this.rowsUpto(Number.MAX_SAFE_INTEGER)) {
      if (this.passes(row)) yield row
      if (++scanned >= maxScanned) return
    }
  }

  passes(row: Row): boolean {
    if (!this.fits(row)) return false
    if (this.#entries !== undefined && !this.#entries.has(row.id)) return false
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

  /** Largest first, those with one content together. */
  *#duplicates(): Iterable<Row> {
    const contents = this.#sql.prepare<{ id: number }>(
      `SELECT c.id FROM contents c WHERE c.size > 0
         AND (SELECT count(*) FROM (SELECT 1 FROM entries e WHERE e.content = c.id LIMIT 2)) = 2
       ORDER BY c.size DESC, c.id`
    )
    const entries = this.#sql.prepare<Row>(`SELECT ${COLUMNS} FROM entries WHERE content = ? ORDER BY id`)
    for (const { id } of contents.all()) for (const row of entries.all([id])) if (this.passes(row)) yield row
  }
}
