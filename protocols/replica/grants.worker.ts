/** The writes of grants, run in the writer thread of the instance database: each is one transaction. */
import { type DeviceId, defineTasks, SpacedriveError } from '../../storage/base/index.js'
import type { Sql } from '../../storage/sql/index.js'
import { MAX_GRANTS } from './grant-limit.js'

interface GrantKey {
  readonly device: DeviceId
  readonly path: Uint8Array
  readonly madeBy: string
}

export const grantWrites = defineTasks(import.meta.url, {
  add(sql: Sql, { device, path, madeBy, access, at }: GrantKey & { access: 'read' | 'write'; at: number }): void {
    const key = [device, path, madeBy]
    const known = sql.prepare('SELECT 1 FROM grants WHERE device = ? AND path = ? AND made_by = ?').get(key)
    const { n } = sql.prepare('SELECT count(*) AS n FROM grants').get() as { n: number }
    if (known === undefined && n >= MAX_GRANTS) {
      throw new SpacedriveError('TOO_MANY', `there are ${MAX_GRANTS} grants already`, {
        hint: 'Take some back with `network ungrant`.'
      })
    }
    sql
      .prepare('INSERT OR REPLACE INTO grants (device, path, made_by, access, made_at) VALUES (?, ?, ?, ?, ?)')
      .run([...key, access, at])
  },
  remove(sql: Sql, { device, path, madeBy }: GrantKey): boolean {
    const key = [device, path, madeBy]
    return sql.prepare('DELETE FROM grants WHERE device = ? AND path = ? AND made_by = ?').run(key).changes > 0
  }
})
