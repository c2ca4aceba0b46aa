import { defineTasks, SpacedriveError } from '../base/index.js'
import { openSqlite, type Sql, type SqlValue } from '../sql/index.js'
import type { LocationColumns } from './row.js'

const CHANGEABLE = [
  ...['path', 'name', 'root_inode', 'root_birth_ns', 'volume', 'volume_path', 'mode', 'watch', 'rules', 'activity'],
  ...['freshness', 'problem_code', 'problem', 'last_scan_at', 'last_full_scan_at']
] as const

export interface NewLocationRow extends LocationColumns {
  readonly uuid: string
  readonly host: number
  readonly path: Uint8Array
  readonly at: number
}

export interface LocationSums {
  readonly number: number
  readonly files: number
  readonly directories: number
  readonly bytes: number
  readonly problems: number
}

/** Problems that are traced to their locations: a list shows a count, and nobody reads more than these. */
const MAX_TRACED = 10_000

export const locationTasks = defineTasks(import.meta.url, {
  /** @throws LOCATION_EXISTS */
  insertLocation(sql: Sql, row: NewLocationRow): void {
    const there = sql.prepare('SELECT 1 FROM locations WHERE host = ? AND path = ?').get([row.host, row.path])
    if (there !== undefined) throw new SpacedriveError('LOCATION_EXISTS', 'this folder is a location already')
    sql
      .prepare(
        `INSERT INTO locations (uuid, host, path, name, mode, watch, rules, activity, freshness, added_at, updated_at)
         VALUES (:uuid, :host, :path, :name, :mode, :watch, :rules, 'pending', 'unknown', :at, :at)`
      )
      .run({
        ...{ uuid: row.uuid, host: row.host, path: row.path, at: row.at },
        ...{ name: row.name!, mode: row.mode!, watch: row.watch!, rules: row.rules! }
      })
    save(sql, row.uuid, row, row.at)
  },

  saveLocation(sql: Sql, { uuid, changes, at }: { uuid: string; changes: LocationColumns; at: number }): void {
    save(sql, uuid, changes, at)
  },

  /**
   * The location's disk is mounted elsewhere now: the same rows under another root. Nothing in the index changed, so no seq.
   */
  relocate(
    sql: Sql,
    {
      uuid,
      host,
      path,
      changes,
      at
    }: { uuid: string; host: number; path: Uint8Array; changes: LocationColumns; at: number }
  ): void {
    const row = sql.prepare<{ entry: number | null }>('SELECT entry FROM locations WHERE uuid = ?').get([uuid])
    if (row?.entry != null)
      sql.prepare('UPDATE entries SET name = ? WHERE id = ? AND parent = ?').run([path, row.entry, -host])
    save(sql, uuid, { ...changes, path }, at)
  },

  deleteLocation(sql: Sql, { uuid }: { uuid: string }): boolean {
    return sql.prepare('DELETE FROM locations WHERE uuid = ?').run([uuid]).changes === 1
  },

  /** In the pool: what each location holds, from the sums its directories carry, and how many problems lie below it. */
  sumLocations({ databaseFile, host }: { databaseFile: string; host: number }): LocationSums[] {
    const sql = openSqlite(databaseFile, { readonly: true })
    try {
      const rows = sql
        .prepare<Omit<LocationSums, 'problems'> & { entry: number | null }>(
          `SELECT l.id AS number, l.entry AS entry, coalesce(d.files, 0) AS files, coalesce(d.dirs, 0) AS directories,
             coalesce(d.bytes, 0) AS bytes
           FROM locations l LEFT JOIN directories d ON d.id = l.entry WHERE l.host = ?`
        )
        .all([host])
      const counts = problemCounts(sql)
      return rows.map(({ entry, ...sums }) => ({ ...sums, problems: entry === null ? 0 : (counts.get(entry) ?? 0) }))
    } finally {
      sql.close()
    }
  }
})

function save(sql: Sql, uuid: string, changes: LocationColumns, at: number): void {
  const columns = CHANGEABLE.filter(c => changes[c as keyof LocationColumns] !== undefined)
  if (columns.length === 0) return
  const set = columns.map(c => `${c} = ?`).join(', ')
  const values = columns.map(c => changes[c as keyof LocationColumns] as SqlValue)
  sql.prepare(`UPDATE locations SET ${set}, updated_at = ? WHERE uuid = ?`).run([...values, at, uuid])
}

/** Problems by every directory that is above them. */
function problemCounts(sql: Sql): Map<number, number> {
  const rows = sql
    .prepare<{ id: number; problems: number }>(
      `WITH RECURSIVE up (problem, id) AS (
         SELECT * FROM (SELECT entry, entry FROM problems LIMIT ${MAX_TRACED})
         UNION ALL
         SELECT up.problem, e.parent FROM up JOIN entries e ON e.id = up.id WHERE e.parent > 0
       )
       SELECT id, count(*) AS problems FROM up WHERE id IN (SELECT entry FROM locations) GROUP BY id`
    )
    .all()
  return new Map(rows.map(r => [r.id, r.problems]))
}
