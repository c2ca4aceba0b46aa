import { type ContentHash, defineTasks } from '../../storage/base/index.js'
import { hashFromBytes, hashToBytes } from '../../storage/content/index.js'
import type { Sql } from '../../storage/sql/index.js'
import { ENDS, type End } from '../reconcile/index.js'

export const lastCopies = defineTasks(import.meta.url, {
  /** Which of these the other end holds, and this one does not: asked of the snapshot of a sync. */
  of(sql: Sql, { at, other, hashes }: { at: End; other: End; hashes: readonly ContentHash[] }): ContentHash[] {
    sql.exec('CREATE TEMP TABLE IF NOT EXISTS asked (hash BLOB PRIMARY KEY) STRICT, WITHOUT ROWID; DELETE FROM asked')
    const insert = sql.prepare('INSERT OR IGNORE INTO asked VALUES (?)')
    for (const hash of hashes) insert.run([hashToBytes(hash)])
    return sql
      .prepare<{ hash: Uint8Array }>(
        `SELECT DISTINCT hash FROM seen WHERE at = ? AND hash IN (SELECT hash FROM asked)
         EXCEPT SELECT hash FROM seen WHERE at = ? AND hash IN (SELECT hash FROM asked)`
      )
      .all([ENDS.indexOf(other), ENDS.indexOf(at)])
      .map(({ hash }) => hashFromBytes(hash))
  }
})
