/** The writes of rules for requests, run in the writer thread of the instance database: each is one transaction. */
import { type DeviceId, defineTasks, SpacedriveError } from '../../storage/base/index.js'
import type { Sql } from '../../storage/sql/index.js'
import { MAX_SYNC_RULES } from './limits.js'

export interface RawRule {
  readonly device: DeviceId
  readonly path: Uint8Array
  readonly inode: string
  readonly birth: string
  readonly modes: string
  readonly access: 'read' | 'write'
  readonly versions: string | null
  readonly made_at: number
}

export const ruleWrites = defineTasks(import.meta.url, {
  /** Made again, as the last time. */
  set(sql: Sql, { device, path, inode, birth, modes, access, versions, made_at }: RawRule): void {
    const known = sql.prepare('SELECT 1 FROM sync_rules WHERE device = ? AND path = ?').get([device, path])
    const { n } = sql.prepare('SELECT count(*) AS n FROM sync_rules WHERE device = ?').get([device]) as { n: number }
    if (known === undefined && n >= MAX_SYNC_RULES)
      throw new SpacedriveError('TOO_MANY', `there are ${MAX_SYNC_RULES} rules for that device already`, {
        hint: 'Take some back with `sync unrule`.'
      })
    sql
      .prepare(
        `INSERT OR REPLACE INTO sync_rules (device, path, inode, birth, modes, access, versions, made_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)`
      )
      .run([device, path, inode, birth, modes, access, versions, made_at])
  },

  /** @returns whether there was one */
  remove(sql: Sql, { device, path }: { device: DeviceId; path: Uint8Array }): boolean {
    return sql.prepare('DELETE FROM sync_rules WHERE device = ? AND path = ?').run([device, path]).changes > 0
  },

  forget(sql: Sql, { device }: { device: DeviceId }): void {
    sql.prepare('DELETE FROM sync_rules WHERE device = ?').run([device])
  }
})
