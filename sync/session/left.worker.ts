/** The writes about ends that removed syncs left, run in the writer thread of the instance database: each is one transaction. */
import { defineTasks, pathBytes } from '../../storage/base/index.js'
import type { Sql } from '../../storage/sql/index.js'
import { MAX_LEFT_ENDS } from './limits.js'
import type { SyncEnd } from './record.js'

/** An end in which a staging place of a sync that is no more may lie. */
export interface LeftEnd {
  readonly uuid: string
  readonly place: SyncEnd
  /** The id in its marker, where that is known. */
  readonly root: string | null
}

/** Within a transaction. The oldest give way. */
export function leave(sql: Sql, left: readonly LeftEnd[], nowMs: number): void {
  const add = sql.prepare('INSERT OR REPLACE INTO syncs_left (uuid, path, place, root, left_at) VALUES (?, ?, ?, ?, ?)')
  for (const { uuid, place, root } of left) add.run([uuid, pathBytes(place.path), JSON.stringify(place), root, nowMs])
  sql
    .prepare(
      `DELETE FROM syncs_left WHERE (uuid, path) IN
         (SELECT uuid, path FROM syncs_left ORDER BY left_at DESC LIMIT -1 OFFSET ?)`
    )
    .run([MAX_LEFT_ENDS])
}

export const leftWrites = defineTasks(import.meta.url, {
  /** Those of a sync that is there still are left alone until it is not. */
  leave(sql: Sql, { left, nowMs }: { left: readonly LeftEnd[]; nowMs: number }): void {
    leave(sql, left, nowMs)
  },

  /** Nothing is left there any more. */
  settled(sql: Sql, { uuid, path }: { uuid: string; path: SyncEnd['path'] }): void {
    sql.prepare('DELETE FROM syncs_left WHERE uuid = ? AND path = ?').run([uuid, pathBytes(path)])
  }
})
