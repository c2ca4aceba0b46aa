/** Directories found under another name whose rows are moved later: renaming 50,000 rows takes longer than a session may. */
import type { RelPath } from '../../storage/base/index.js'
import type { Sql } from '../../storage/sql/index.js'
import { ENDS, type End } from '../reconcile/index.js'
import { keysBelow } from './path-key.js'

export interface Rename {
  readonly path: RelPath
  readonly to: RelPath
}

const number = (at: End): number => ENDS.indexOf(at)

/** Where the rows of an end lie while some directories in it still bear their old names there. */
export class Renames {
  readonly #list: readonly { readonly from: Buffer; readonly to: Buffer }[]

  constructor(sql: Sql, at: End) {
    this.#list = sql
      .prepare<{ path: Uint8Array; to_path: Uint8Array }>('SELECT path, to_path FROM renamed WHERE at = ?')
      .all([number(at)])
      .map(({ path, to_path }) => ({ from: Buffer.from(path), to: Buffer.from(to_path) }))
  }

  /** The key of the row of what is at `key` now; undefined: nothing is, its name was given up. */
  rowOf(key: Uint8Array): Uint8Array | undefined {
    for (const { from, to } of this.#list)
      if (isAtOrBelow(key, to)) return Buffer.concat([from, key.subarray(to.length)])
    return this.#list.some(({ from }) => isAtOrBelow(key, from)) ? undefined : key
  }
}

/**
 * Brings the rows of both ends under the names that their directories have. A plan that was not done rested on them as they were:
 * the next one compares everything.
 */
export function settleRenames(sql: Sql): void {
  for (const at of ENDS) {
    const list = sql
      .prepare<{ path: Uint8Array; to_path: Uint8Array }>('SELECT path, to_path FROM renamed WHERE at = ?')
      .all([number(at)])
    if (list.length === 0) continue
    moveRows(
      sql,
      at,
      list.map(({ path, to_path }) => [path, to_path])
    )
    sql.prepare('DELETE FROM renamed WHERE at = ?').run([number(at)])
    sql.exec('DELETE FROM compared')
  }
}

export function moveRows(sql: Sql, at: End, moved: readonly (readonly [Uint8Array, Uint8Array])[]): void {
  movedAtOnce(rowMover(sql, at), moved)
}

/** Renames what lies at and below a key. */
export function rowMover(sql: Sql, at: End): (from: Uint8Array, to: Uint8Array) => void {
  const change = sql.prepare(
    `UPDATE OR REPLACE seen SET path = CAST(? || substr(path, ?) AS BLOB)
     WHERE at = ? AND (path = ? OR (path >= ? AND path < ?))`
  )
  return (from, to) => void change.run([to, from.length + 1, number(at), from, ...keysBelow(from)])
}

/**
 * All at once: names may swap. First everything steps aside (no path begins with 0x00), then takes its new name.
 * @param put - renames what lies at and below a key
 */
export function movedAtOnce(
  put: (from: Uint8Array, to: Uint8Array) => void,
  moved: readonly (readonly [Uint8Array, Uint8Array])[]
): void {
  const [first] = moved
  if (first === undefined) return
  if (moved.length === 1) {
    put(...first)
    return
  }
  const list = [...moved].sort(([a], [b]) => b.length - a.length)
  for (const [i, [from]] of list.entries()) put(from, aside(i))
  for (const [i, [, to]] of list.entries()) put(aside(i), to)
}

/** A key that is no path's. */
export const aside = (i: number): Uint8Array => Buffer.concat([Buffer.from([0, 0]), Buffer.from(String(i))])

export function isAtOrBelow(key: Uint8Array, above: Uint8Array): boolean {
  if (key.length < above.length || Buffer.compare(key.subarray(0, above.length), above) !== 0) return false
  return key.length === above.length || key[above.length] === 0
}
