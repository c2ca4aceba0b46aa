/** The writes of jobs that wait for a device, run in the writer thread of the instance database. */
import { type DeviceId, defineTasks, type JobId } from '../../../storage/base/index.js'
import type { Sql } from '../../../storage/sql/index.js'

export const waitWrites = defineTasks(import.meta.url, {
  add(sql: Sql, { job, devices, notBefore }: { job: JobId; devices: readonly DeviceId[]; notBefore: number }): void {
    const insert = sql.prepare(
      `INSERT INTO job_waits (job, device, not_before) VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET not_before = excluded.not_before`
    )
    for (const device of devices) insert.run([job, device, notBefore])
  },

  drop(sql: Sql, { job }: { job: JobId }): void {
    sql.prepare('DELETE FROM job_waits WHERE job = ?').run([job])
  }
})
