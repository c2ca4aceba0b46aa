import { defineTasks } from '../../../storage/base/index.js'
import type { Sql } from '../../../storage/sql/index.js'

/** As years of use leave the log. */
export const filling = defineTasks(import.meta.url, {
  fill(sql: Sql, { rows, at }: { rows: number; at: number }): void {
    const insert = sql.prepare(
      `INSERT INTO audit (at, ended_at, command, origin, outcome, paths, path_count) VALUES (?, ?, 'file.old', 'this device', 'done', '[]', 0)`
    )
    for (let i = 0; i < rows; i++) insert.run([at, at])
  }
})
