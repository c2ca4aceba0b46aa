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

/**
 * Takes up names that are missing in the trigram index and drops those of entries that are gone, at most `limit` of each.
 * Roots are not searched for: their name is a path.
 * @returns whether more is left
 */
export function indexNames(sql: Sql, limit: number): boolean {
  const upto = namesUpto(sql)
  const rows = sql
    .prepare<{ id: number; parent: number; name: Uint8Array }>(
      'SELECT id, parent, name FROM entries WHERE id > ? ORDER BY id LIMIT ?'
    )
    .all([upto, limit])
  const insert = sql.prepare('INSERT INTO names (rowid, name) VALUES (?, ?)')
  for (const row of rows) if (row.parent > 0) insert.run([row.id, indexedText(row.name)])
  if (rows.length > 0) setMeta(sql, 'names_upto', String(rows.at(-1)!.id))

  const goneSeq = namesGoneSeq(sql)
  const gone = sql
    .prepare<{ id: number; seq: number }>('SELECT id, seq FROM deleted WHERE seq > ? ORDER BY seq LIMIT ?')
    .all([goneSeq, limit])
  const drop = sql.prepare('DELETE FROM names WHERE rowid = ?')
  for (const { id } of gone) if (id <= upto) drop.run([id])
  if (gone.length > 0) setMeta(sql, 'names_gone_seq', String(gone.at(-1)!.seq))
  return rows.length === limit || gone.length === limit
}
