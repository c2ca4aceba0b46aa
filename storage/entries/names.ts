import { isPlainUtf8, textFromBytes } from '../base/index.js'
import type { Sql } from '../sql/index.js'
import { getMeta, setMeta } from './state.js'

/** Marks around a name in the trigram index: a search for the beginning or the whole of a name is a search for trigrams, too. */
export const NAME_START = '\u0002'
export const NAME_END = '\u0003'

/** The text of a name for search and comparison: bytes that are no UTF-8 as U+FFFD. */
export function searchText(name: Uint8Array): string {
  const text = textFromBytes(name)
  return isPlainUtf8(text) ? text : text.replace(LONE, '\ufffd')
}

const LONE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

/** Entries with a greater id are not in the trigram index yet. */
export const namesUpto = (sql: Sql): number => Number(getMeta(sql, 'names_upto') ?? 0)

/** Names of entries gone since then are still in the trigram index. */
export const namesGoneSeq = (sql: Sql): number => Number(getMeta(sql, 'names_gone_seq') ?? 0)

/** Puts the name of one entry into the trigram index, or another in its place. */
export function putName(sql: Sql, id: number, name: Uint8Array): void {
  sql.prepare('INSERT OR REPLACE INTO names (rowid, name) VALUES (?, ?)').run([id, indexedText(name)])
}

export function dropName(sql: Sql, id: number): void {
  if (id <= namesUpto(sql)) sql.prepare('DELETE FROM names WHERE rowid = ?').run([id])
}

const indexedText = (name: Uint8Array): string => `${NAME_START}${searchText(name)}${NAME_END}`

/** What one go at the trigram index did. */
export interface NamesTaken {
  readonly taken: number
  /** Others are left. */
  readonly more: boolean
}

/**
 * Takes up names that are missing in the trigram index and drops those of entries that are gone, at most `limit` of each.
 * Roots are not searched for: their name is a path.
 */
export function indexNames(sql: Sql, limit: number): NamesTaken {
  const upto = namesUpto(sql)
  const next = sql
    .prepare<{ n: number; last: number }>(
      'SELECT count(*) AS n, max(id) AS last FROM (SELECT id FROM entries WHERE id > ? ORDER BY id LIMIT ?)'
    )
    .get([upto, limit])!
  const goneSeq = namesGoneSeq(sql)
  const gone = sql
    .prepare<{ id: number; seq: number }>('SELECT id, seq FROM deleted WHERE seq > ? ORDER BY seq LIMIT ?')
    .all([goneSeq, limit])
  const more = next.n === limit || gone.length === limit
  mergeAsItComes(sql, !more)
  if (next.n > 0) {
    takeUp(sql, upto, next.last)
    setMeta(sql, 'names_upto', String(next.last))
  }
  const drop = sql.prepare('DELETE FROM names WHERE rowid = ?')
  for (const { id } of gone) if (id <= upto) drop.run([id])
  if (gone.length > 0) setMeta(sql, 'names_gone_seq', String(gone.at(-1)!.seq))
  return { taken: next.n, more }
}

const TEXT = 'CAST(name AS TEXT)'
/** A byte above 127 anywhere: then the text that is searched is not simply the bytes. */
const NOT_ASCII = `${TEXT} GLOB '*[^\u0001-\u007f]*'`

/** Plain names without a way through JavaScript: a third of the time. */
function takeUp(sql: Sql, above: number, upto: number): void {
  sql
    .prepare(
      `INSERT INTO names (rowid, name) SELECT id, char(2) || ${TEXT} || char(3) FROM entries
       WHERE id > ? AND id <= ? AND parent > 0 AND NOT ${NOT_ASCII}`
    )
    .run([above, upto])
  const insert = sql.prepare('INSERT INTO names (rowid, name) VALUES (?, ?)')
  const odd = sql.prepare<{ id: number; name: Uint8Array }>(
    `SELECT id, name FROM entries WHERE id > ? AND id <= ? AND parent > 0 AND ${NOT_ASCII}`
  )
  for (const { id, name } of odd.all([above, upto])) insert.run([id, indexedText(name)])
}

/** How FTS5 of each writer connection is set, once it was said. */
const mergesAsItComes = new WeakMap<Sql, boolean>()

/**
 * Each write of names is a sorted list of its own. FTS5 merges them a little with each further write, which for a million
 * names costs more than all the rest: while many are taken up it does not, and `mergeNames` does it once behind them.
 */
function mergeAsItComes(sql: Sql, yes: boolean): void {
  if (mergesAsItComes.get(sql) === yes) return
  const set = sql.prepare('INSERT INTO names (names, rank) VALUES (?, ?)')
  // As bigints: FTS5 takes no floating point number for these.
  set.run(['automerge', yes ? 4n : 0n])
  // Else it would merge all of them in one go, on whichever write comes next.
  set.run(['crisismerge', 1_999n])
  mergesAsItComes.set(sql, yes)
}

/** Leaf pages (4 KB) written by one step: some 20 ms of the writer thread. */
const MERGE_PAGES = 200n

/**
 * One step on the way from many lists to one, which is searched twice as fast as ten.
 * @param all - every list, as for the first step after much was taken up; otherwise a merge that was begun goes on
 * @returns whether there is more to do
 */
export function mergeNames(sql: Sql, all: boolean): boolean {
  const changes = sql.prepare<{ n: number }>('SELECT total_changes() AS n')
  const before = changes.get()!.n
  sql.prepare('INSERT INTO names (names, rank) VALUES (?, ?)').run(['merge', all ? -MERGE_PAGES : MERGE_PAGES])
  // The command itself counts as one change: nothing else was done.
  return changes.get()!.n - before > 1
}
