import { defineTasks } from '../../../storage/base/index.js'
import { setMeta } from '../../../storage/entries/index.js'
import type { Sql } from '../../../storage/sql/index.js'

export const marking = defineTasks(import.meta.url, {
  /** As if the names of entries above `upto` were still to be taken up. */
  namesUpto(sql: Sql, { upto }: { upto: number }): void {
    setMeta(sql, 'names_upto', String(upto))
  }
})
