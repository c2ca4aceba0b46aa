import type { Sql } from '../sql/index.js'

/** Entries of locations that a sync stands on; only what hangs below one of them carries versions. */
export function versionedRoots(sql: Sql, host: number): ReadonlySet<number> {
  return new Set(
    sql
      .prepare<{ entry: number }>('SELECT entry FROM locations WHERE versioned = 1 AND host = ? AND entry IS NOT NULL')
      .all([host])
      .map(r => r.entry)
  )
}

/**
 * A version after one more edit by hand on this device: its counter becomes max(n + 1, seconds since 1970), so that it
 * passes what this device gave out before its database was lost (SYNC.md 1).
 */
export function nextVersion(version: string | null, host: number, nowMs: number): string {
  const counters = version === null ? {} : (JSON.parse(version) as Record<string, number>)
  counters[host] = Math.max((counters[host] ?? 0) + 1, Math.floor(nowMs / 1000))
  return JSON.stringify(counters)
}
