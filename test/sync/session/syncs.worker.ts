import { defineTasks } from '../../../storage/base/index.js'
import type { Sql } from '../../../storage/sql/index.js'
import type { ArchiveChange } from '../../../sync/reconcile/index.js'
import { changeArchive } from '../../../sync/session/archive.worker.js'

export const addSyncs = defineTasks(import.meta.url, {
  /** Two syncs for rows to hang on. */
  add(sql: Sql, _: object): void {
    const insert = sql.prepare(
      `INSERT INTO syncs (id, uuid, name, mode, policy, source, destination, options, added_at)
       VALUES (?, ?, ?, 'mirror', 'keep-both', '{}', '{}', '{}', 0)`
    )
    for (const id of [1, 2]) insert.run([id, `uuid-${id}`, `sync ${id}`])
  },

  addOne(sql: Sql, { id, uuid, mode, policy }: { id: number; uuid: string; mode: string; policy: string }): void {
    sql
      .prepare(
        `INSERT INTO syncs (id, uuid, name, mode, policy, source, destination, options, added_at)
         VALUES (?, ?, 'test', ?, ?, '{}', '{}', '{}', 0)`
      )
      .run([id, uuid, mode, policy])
  },

  /** As a page of the fold does. */
  change(sql: Sql, { sync, changes }: { sync: number; changes: readonly ArchiveChange[] }): void {
    changeArchive(sql, sync, changes)
  },

  synchronous(sql: Sql): number {
    return Number(sql.pragma('synchronous'))
  }
})
