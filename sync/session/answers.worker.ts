import { defineTasks, type RelPath } from '../../storage/base/index.js'
import type { Sql } from '../../storage/sql/index.js'
import type { ConflictPolicy } from '../reconcile/index.js'
import { pathKey } from './path-key.js'

/** What a person can say to a conflict, and the policy that does it. Where it cannot tell, both are kept. */
export const KEEP = {
  source: 'source',
  destination: 'destination',
  both: 'keep-both',
  newer: 'newer',
  larger: 'larger'
} as const satisfies Record<string, ConflictPolicy>
export type Keep = keyof typeof KEEP

export interface Answers {
  readonly sync: number
  readonly paths: readonly RelPath[]
  readonly keep: Keep
  readonly atMs: number
}

export const answering = defineTasks(import.meta.url, {
  answer(sql: Sql, { sync, paths, keep, atMs }: Answers): void {
    const insert = sql.prepare('INSERT OR REPLACE INTO sync_answers VALUES (?, ?, ?, ?)')
    for (const path of paths) insert.run([sync, pathKey(path), keep, atMs])
  },

  /** A run has looked at them: those stay of which it could not do what was said. */
  carriedOut(sql: Sql, { sync }: { sync: number }): void {
    sql
      .prepare(
        `DELETE FROM sync_answers WHERE sync = ? AND NOT EXISTS
           (SELECT 1 FROM sync_unsettled u WHERE u.sync = sync_answers.sync AND u.path = sync_answers.path)`
      )
      .run([sync])
  }
})
