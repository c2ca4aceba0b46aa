import type { Sql } from '../sql/index.js'
import { getMeta } from './state.js'

/**
 * Folders that a sync stands on, by their entry, with the number of the replica each is; only what hangs below one of them
 * carries versions. A replica is one folder in one life of the index: whoever restores yesterday's database goes on as
 * another one, so no counter is ever given to two changes, whatever the clock says (docs/decisions/080).
 */
export function replicaRoots(sql: Sql, host: number): ReadonlyMap<number, number> {
  const rows = sql
    .prepare<{ entry: number; uuid: string }>(
      'SELECT entry, uuid FROM locations WHERE versioned = 1 AND host = ? AND entry IS NOT NULL'
    )
    .all([host])
  if (rows.length === 0) return NONE
  const index = getMeta(sql, 'index') ?? ''
  return new Map(rows.map(({ entry, uuid }) => [entry, replicaNumber(sql, `${uuid}.${index}`)]))
}

const NONE: ReadonlyMap<number, number> = new Map()

/** The number that stands for a replica in the versions of this library, by the name it has everywhere. */
export function replicaNumber(sql: Sql, name: string): number {
  sql.prepare('INSERT INTO replicas (name) VALUES (?) ON CONFLICT DO NOTHING').run([name])
  return sql.prepare<{ id: number }>('SELECT id FROM replicas WHERE name = ?').get([name])!.id
}

/** A version after one more change by hand in a folder; `seq` is that of the change, which no other change bears. */
export function nextVersion(version: string | null, replica: number, seq: number): string {
  const counters = version === null ? {} : (JSON.parse(version) as Record<string, number>)
  counters[replica] = Math.max((counters[replica] ?? 0) + 1, seq)
  return JSON.stringify(counters)
}
