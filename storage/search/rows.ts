import { CONTENT_KINDS, type ContentKind, FLAG, KIND } from '../entries/index.js'
import type { Sql, Statement } from '../sql/index.js'
import { LETTERS, type Query, type Tier } from './query.js'
import type { SearchFilters } from './search.js'

/** What a search needs of a row of `entries`. */
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

/** Rows of one page, the newest entries first. */
export const WINDOW = 500

const COLUMNS = 'e.id, e.parent, e.name, e.kind, e.type, e.size, e.mtime_ns / 1000000 AS mtimeMs, e.flags, e.content'
const FORMS = { file: KIND.FILE, folder: KIND.DIRECTORY, symlink: KIND.SYMLINK } as const

/** The kinds asked for, as numbers of the table. */
export function kindsOf({ kinds }: SearchFilters): { forms: number[]; types: number[] } | undefined {
  if (kinds === undefined || kinds.length === 0) return undefined
  const forms = kinds.filter((k): k is keyof typeof FORMS => k in FORMS).map(k => FORMS[k])
  const types = kinds.filter((k): k is ContentKind => !(k in FORMS)).map(k => CONTENT_KINDS.indexOf(k))
  return { forms, types }
}

interface Condition {
  readonly text: string
  readonly values: readonly (string | number)[]
}

/**
 * Reads rows a page at a time, and lets SQLite leave out what it can tell to be no hit: a row that has to be looked at in
 * JavaScript costs ten times as much. What is left out is never a hit; what is let through may be none.
 */
export class Rows {
  readonly #sql: Sql
  readonly #query: Query
  readonly #filters: Condition
  readonly #one: Statement<Row>

  constructor(sql: Sql, query: Query, filters: SearchFilters) {
    this.#sql = sql
    this.#query = query
    this.#filters = all(conditionsOf(filters))
    this.#one = sql.prepare<Row>(`SELECT ${COLUMNS} FROM entries e WHERE e.id = ?`)
  }

  get(id: number): Row | undefined {
    return this.#one.get([id])
  }

  /** The next page of names below an id that hold the trigrams of an expression. */
  matching(expression: string, below: number, tier: Tier): Row[] {
    // A plain word is hardly ever something else that has its trigrams; short ones have none.
    const { words } = this.#query
    const doubtful = words.some(w => w.length >= 3 && !LETTERS.test(w))
    const names = doubtful ? fitting(tier, this.#query) : words.filter(w => w.length < 3).map(holds)
    const { text, values } = all([this.#filters, ...names])
    // The number as a bigint: FTS5 takes no heed of a bound that comes as a floating point number.
    return this.#sql
      .prepare<Row>(
        `SELECT ${COLUMNS} FROM names n CROSS JOIN entries e ON e.id = n.rowid
         WHERE n.names MATCH ? AND n.rowid < ? AND ${text} ORDER BY n.rowid DESC LIMIT ${WINDOW}`
      )
      .all([expression, BigInt(below), ...values])
  }

  /** The next page between two ids, without the help of trigrams; roots, whose name is a path, are none. */
  between(above: number, below: number, tier?: Tier): Row[] {
    const { text, values } = all([this.#filters, ...(tier === undefined ? [] : fitting(tier, this.#query))])
    return this.#sql
      .prepare<Row>(
        `SELECT ${COLUMNS} FROM entries e
         WHERE e.id > ? AND e.id < ? AND e.parent > 0 AND ${text} ORDER BY e.id DESC LIMIT ${WINDOW}`
      )
      .all([above, below, ...values])
  }
}

const BYTES = `CASE e.kind WHEN ${KIND.DIRECTORY}
  THEN coalesce((SELECT d.bytes FROM directories d WHERE d.id = e.id), 0) ELSE e.size END`

function conditionsOf(filters: SearchFilters): Condition[] {
  const conditions: Condition[] = []
  const add = (text: string, ...values: number[]): void => void conditions.push({ text, values })
  if (filters.excluded !== true) add(`e.flags & ${FLAG.EXCLUDED} = 0`)
  const kinds = kindsOf(filters)
  if (kinds !== undefined) add(`(e.kind IN (${kinds.forms}) OR (e.kind = ${KIND.FILE} AND e.type IN (${kinds.types})))`)
  if (filters.largerBytes !== undefined) add(`${BYTES} > ?`, filters.largerBytes)
  if (filters.smallerBytes !== undefined) add(`${BYTES} < ?`, filters.smallerBytes)
  if (filters.modifiedAfterMs !== undefined) add('e.mtime_ns / 1000000 >= ?', filters.modifiedAfterMs)
  if (filters.modifiedBeforeMs !== undefined) add('e.mtime_ns / 1000000 < ?', filters.modifiedBeforeMs)
  if (filters.duplicates === true) add('e.content IS NOT NULL AND e.size > 0')
  return conditions
}

/** SQLite folds the case of ASCII alone: of other names it is decided in JavaScript. */
const LOWER = 'lower(CAST(e.name AS TEXT))'
const NOT_ASCII = 'length(CAST(e.name AS TEXT)) <> length(e.name)'

function fitting(tier: Tier, { text, words }: Query): Condition[] {
  if (tier === 'words' || !isAscii(text)) return words.map(holds)
  const exact = tier === 'exact' ? `length(e.name) = ${text.length} AND ` : ''
  return [{ text: `((${exact}instr(${LOWER}, ?) = 1) OR ${NOT_ASCII})`, values: [text] }]
}

/** Case folding can make ASCII of another letter, but not the other way round. */
function holds(word: string): Condition {
  if (isAscii(word)) return { text: `(instr(${LOWER}, ?) > 0 OR ${NOT_ASCII})`, values: [word] }
  // U+FFFD stands for single bytes that SQLite counts as one character each.
  return word.includes('\ufffd') ? { text: '1', values: [] } : { text: `(${NOT_ASCII})`, values: [] }
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false
  return true
}

function all(conditions: readonly Condition[]): Condition {
  const text = conditions.length === 0 ? '1' : conditions.map(c => c.text).join(' AND ')
  return { text, values: conditions.flatMap(c => c.values) }
}
