/** What changed in the snapshot since everything was compared last: all that the next plan has to look at. */
import { RowStatement, type Sql } from '../../storage/sql/index.js'
import type { End } from '../reconcile/index.js'
import { keysBelow } from './path-key.js'
import { endNumber } from './seen.js'

const NOTE = new RowStatement(1, rows => `INSERT OR IGNORE INTO touched VALUES ${rows}`)

/** Notes paths; nothing is noted while everything is to be compared anyway. */
export class Touched {
  readonly #sql: Sql | undefined

  constructor(sql: Sql) {
    if (isCompared(sql)) this.#sql = sql
  }

  add(...keys: readonly Uint8Array[]): void {
    this.addAll(keys)
  }

  addAll(keys: readonly Uint8Array[]): void {
    if (this.#sql !== undefined) NOTE.run(this.#sql, keys)
  }

  /** What an end has at and below a key: a million rows perhaps, of which none leaves the database. */
  addBelow(at: End, key: Uint8Array): void {
    this.#sql
      ?.prepare('INSERT OR IGNORE INTO touched SELECT path FROM seen WHERE at = ? AND path >= ? AND path < ?')
      .run([endNumber(at), key, keysBelow(key)[1]])
  }
}

export const isCompared = (sql: Sql): boolean => basisOf(sql) !== undefined

/** What the last comparison rested on. */
export const basisOf = (sql: Sql): string | undefined =>
  sql.prepare<{ basis: string }>('SELECT basis FROM compared').get()?.basis

/** In tree order: what was touched, and what was not alike before. Undefined: more than `limit`. */
export function keysToCompare(sql: Sql, limit: number): readonly Uint8Array[] | undefined {
  const keys = sql
    .prepare<{ path: Uint8Array }>('SELECT path FROM touched UNION SELECT path FROM odd ORDER BY path LIMIT ?')
    .all([limit + 1])
  return keys.length > limit ? undefined : keys.map(({ path }) => path)
}
