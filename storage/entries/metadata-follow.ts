import { nameOf, type RelPath, textFromBytes } from '../base/index.js'
import type { Sql } from '../sql/index.js'
import { pathOf } from './lookup.js'
import type { EntryRow } from './row.js'

/**
 * How what people said of files follows the files. A row of `metadata` that hangs on an entry moves with it. When the entry
 * goes, the row stays with path, inode and content hash, and finds the file again: one that appears at that path, or one of
 * the same name with the same content, whichever of copy and deletion came first.
 */

/** Paths in `metadata` after something moved from `from` to `to` (absolute, bytes). */
export function followPaths(sql: Sql, host: number, from: Uint8Array, to: Uint8Array): void {
  if (!hasMetadata(sql)) return
  sql.prepare('UPDATE metadata SET path = ? WHERE host = ? AND path = ?').run([to, host, from])
  // Everything below: between `from/` and `from0` in byte order. Concatenation of blobs needs the cast back.
  sql
    .prepare(
      `UPDATE metadata SET path = CAST(? || substr(path, ?) AS BLOB)
       WHERE host = ? AND path > ? AND path < ?`
    )
    .run([to, from.length + 1, host, Buffer.concat([from, slash]), Buffer.concat([from, zero])])
}

/** An entry goes: what was said of it stays behind, or goes over to the copy that is already there. */
export function orphan(sql: Sql, row: EntryRow, path: Uint8Array | undefined): void {
  if (!hasMetadata(sql)) return
  const found = sql.prepare<{ id: number }>('SELECT id FROM metadata WHERE entry = ?').get([row.id])
  if (found === undefined) return
  const hash =
    row.content === null
      ? null
      : (sql.prepare<{ hash: Uint8Array }>('SELECT hash FROM contents WHERE id = ?').get([row.content])?.hash ?? null)
  sql
    .prepare(
      'UPDATE metadata SET entry = NULL, path = coalesce(?, path), inode = ?, birth_ns = ?, hash = ? WHERE id = ?'
    )
    .run([path ?? null, row.inode, row.birthNs, hash, found.id])
  const copy =
    row.content === null
      ? undefined
      : sql
          .prepare<{ id: number }>(
            `SELECT id FROM entries WHERE content = ? AND name = ? AND id > ?
             AND NOT EXISTS (SELECT 1 FROM metadata WHERE entry = entries.id) ORDER BY id DESC LIMIT 1`
          )
          .get([row.content, row.name, row.id])
  if (copy !== undefined) attach(sql, found.id, copy.id)
}

/** A new entry takes what was said of a file at its path. Cheap when nothing waits for its file. */
export function adoptByPath(sql: Sql, host: number, id: number, path: Uint8Array): void {
  const found = sql
    .prepare<{ id: number }>(
      'SELECT id FROM metadata INDEXED BY metadata_by_path WHERE host = ? AND path = ? AND entry IS NULL'
    )
    .get([host, path])
  if (found !== undefined) attach(sql, found.id, id)
}

/** An entry whose content became known takes what was said of a file that is gone, with that content and name. */
export function adoptByContent(sql: Sql, id: number, name: Uint8Array, hash: Uint8Array): void {
  const rows = sql
    .prepare<{ id: number; path: Uint8Array }>('SELECT id, path FROM metadata WHERE entry IS NULL AND hash = ?')
    .all([hash])
  const same = rows.find(r => nameOf(textFromBytes(r.path) as RelPath) === textFromBytes(name))
  if (same !== undefined) attach(sql, same.id, id)
}

/** The last names of the paths that wait for their file; empty most of the time. */
export function waitingNames(sql: Sql): ReadonlySet<string> {
  return new Set(
    sql
      .prepare<{ path: Uint8Array }>('SELECT path FROM metadata INDEXED BY metadata_without_entry WHERE entry IS NULL')
      .all()
      .map(r => nameOf(textFromBytes(r.path) as RelPath))
  )
}

function attach(sql: Sql, metadata: number, entry: number): void {
  const taken = sql.prepare('SELECT 1 FROM metadata WHERE entry = ?').get([entry]) !== undefined
  if (taken) return
  sql
    .prepare('UPDATE metadata SET entry = ?, path = coalesce(?, path) WHERE id = ?')
    .run([entry, pathOf(sql, entry) ?? null, metadata])
}

const hasMetadata = (sql: Sql): boolean => sql.prepare('SELECT 1 FROM metadata LIMIT 1').get() !== undefined

const slash = Buffer.from('/')
const zero = Buffer.from('0')
