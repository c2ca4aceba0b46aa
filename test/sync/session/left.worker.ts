import { defineTasks } from '../../../storage/base/index.js'
import type { Sql } from '../../../storage/sql/index.js'

export const leftTasks = defineTasks(import.meta.url, {
  /** A device that is paired, for what refers to it. */
  pair(sql: Sql, { device }: { device: string }): void {
    sql
      .prepare(
        "INSERT INTO devices (device, name, state, epoch, first_paired_at, paired_at) VALUES (?, 'it', 'paired', 1, 1, 1)"
      )
      .run([device])
  }
})
