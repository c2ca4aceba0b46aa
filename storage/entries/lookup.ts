import { type AbsPath, pathBytes, type RelPath, textFromBytes } from '../base/index.js'
import type { Sql } from '../sql/index.js'
import { COLUMNS, type EntryRow, nameKey, rowOf } from './row.js'

/** Deeper than any real tree (a path has 4,096 bytes): a chain longer than this is a damaged index. */
export const MAX_DEPTH = 4_096

/** Rows whose place was taken by another file wait under DISPLACED - id until it is known where they went. */
export const DISPLACED = -(2 ** 40)

const slash = Buffer.from('/')

export function rowById(sql: Sql, id: number): EntryRow | undefined {
  const raw = sql
    .prepare<never>(`SELECT ${COLUMNS} FROM entries WHERE id = ?`, { raw: true, bigint: true })
    .get([id]) as never
  return raw === undefined ? undefined : rowOf(raw)
}

export function rowByName(sql: Sql, parent: number, name: Uint8Array): EntryRow | undefined {
  const raw = sql
    .prepare<never>(`SELECT ${COLUMNS} FROM entries WHERE parent = ? AND name = ?`, { raw: true, bigint: true })
    .get([parent, name]) as never
  return raw === undefined ? undefined : rowOf(raw)
}

/** The rows right below a directory (those whose names lie in a range), by `nameKey`. */
export function childRows(sql: Sql, parent: number, range: Range = { from: null, to: null }): Map<string, EntryRow> {
  const rows = new Map<string, EntryRow>()
  for (const row of rowsBetween(sql, parent, range)) rows.set(nameKey(row.name), row)
  return rows
}

/** The rows right below a directory whose names lie from `from` on and before `to`, in the order of their bytes. */
export function rowsBetween(sql: Sql, parent: number, { from, to }: Range): EntryRow[] {
  const statement = sql.prepare<never>(
    `SELECT ${COLUMNS} FROM entries WHERE parent = ? AND name >= ? ${to === null ? '' : 'AND name < ?'} ORDER BY name`,
    { raw: true, bigint: true }
  )
  const low = from ?? NO_BYTES
  return (statement.all(to === null ? [parent, low] : [parent, low, to]) as never[]).map(raw => rowOf(raw))
}

interface Range {
  readonly from: Uint8Array | null
  readonly to: Uint8Array | null
}

const NO_BYTES = new Uint8Array(0)

/** What an entry hangs on in the end: the negative number of a host, DISPLACED or less, or 0 when the chain is broken. */
export function topOf(sql: Sql, id: number): number {
  const step = sql.prepare<{ parent: number }>('SELECT parent FROM entries WHERE id = ?')
  let at = id
  for (let depth = 0; at > 0 && depth < MAX_DEPTH; depth++) at = step.get([at])?.parent ?? 0
  return at > 0 ? 0 : at
}

/** The absolute path of an entry as bytes, from its ancestors; undefined when it does not hang on a root (of `host`). */
export function pathOf(sql: Sql, id: number, host?: number): Buffer | undefined {
  const step = sql.prepare<{ parent: number; name: Uint8Array }>('SELECT parent, name FROM entries WHERE id = ?')
  const parts: Uint8Array[] = []
  for (let at = id, depth = 0; depth < MAX_DEPTH; depth++) {
    const row = step.get([at])
    if (row === undefined) return undefined
    if (row.parent < 0) {
      if (row.parent <= DISPLACED || (host !== undefined && row.parent !== -host)) return undefined
      // The root of the file system ends in a slash already.
      if (parts.length > 0 && !(row.name.length === 1 && row.name[0] === 0x2f)) parts.push(slash)
      parts.push(row.name)
      return Buffer.concat(parts.reverse())
    }
    if (parts.length > 0) parts.push(slash)
    parts.push(row.name)
    at = row.parent
  }
  return undefined
}

export const pathTextOf = (sql: Sql, id: number, host?: number): AbsPath | undefined => {
  const bytes = pathOf(sql, id, host)
  return bytes === undefined ? undefined : (textFromBytes(bytes) as AbsPath)
}

/** True when `id` is `ancestor` or hangs below it. */
export function isBelow(sql: Sql, id: number, ancestor: number): boolean {
  const step = sql.prepare<{ parent: number }>('SELECT parent FROM entries WHERE id = ?')
  for (let at = id, depth = 0; at > 0 && depth < MAX_DEPTH; depth++) {
    if (at === ancestor) return true
    at = step.get([at])?.parent ?? 0
  }
  return false
}

/** Roots of a host: id and absolute path, longest path first. */
export function rootsOf(sql: Sql, host: number): { id: number; path: AbsPath }[] {
  return sql
    .prepare<{ id: number; name: Uint8Array }>('SELECT id, name FROM entries WHERE parent = ?')
    .all([-host])
    .map(r => ({ id: r.id, path: textFromBytes(r.name) as AbsPath }))
    .sort((a, b) => b.path.length - a.path.length)
}

/** The entry at `rel` below an entry; undefined when any part of the way is not recorded. */
export function findBelow(sql: Sql, from: number, rel: RelPath): number | undefined {
  if (rel === '') return from
  const step = sql.prepare<{ id: number }>('SELECT id FROM entries WHERE parent = ? AND name = ?')
  let at = from
  for (const name of rel.split('/')) {
    const row = step.get([at, pathBytes(name)])
    if (row === undefined) return undefined
    at = row.id
  }
  return at
}

/** The entry at an absolute path of a host. */
export function findByPath(sql: Sql, host: number, path: AbsPath): number | undefined {
  for (const root of rootsOf(sql, host)) {
    const prefix = root.path === '/' ? '/' : `${root.path}/`
    if (path === root.path) return root.id
    if (!path.startsWith(prefix)) continue
    const found = findBelow(sql, root.id, path.slice(prefix.length) as RelPath)
    if (found !== undefined) return found
  }
  return undefined
}
