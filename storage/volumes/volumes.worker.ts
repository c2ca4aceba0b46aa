import { defineTasks } from '../base/index.js'
import type { Sql } from '../sql/index.js'

/** A row of `volumes` as it crosses to the writer; the mount point as bytes. */
export interface VolumeRow {
  id: string
  name: string
  mountPoint: Uint8Array
  totalBytes: number
  nowMs: number
}

export interface SpeedRow extends VolumeRow {
  writeSpeed: number
  readSpeed: number
  readCached: boolean
}

export const volumeWrites = defineTasks(import.meta.url, {
  track(sql: Sql, row: VolumeRow): void {
    sql
      .prepare(
        `INSERT INTO volumes (id, name, tracked, mount_point, total_bytes, tracked_at, last_seen_at)
         VALUES (?, ?, 1, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, tracked = 1, mount_point = excluded.mount_point,
           total_bytes = excluded.total_bytes, last_seen_at = excluded.last_seen_at`
      )
      .run([row.id, row.name, row.mountPoint, row.totalBytes, row.nowMs, row.nowMs])
  },

  untrack(sql: Sql, id: string): boolean {
    return sql.prepare('UPDATE volumes SET tracked = 0 WHERE id = ? AND tracked = 1').run([id]).changes > 0
  },

  /** Volumes that are here now: where, and when they were last seen. */
  seen(sql: Sql, rows: readonly VolumeRow[]): void {
    const update = sql.prepare(
      'UPDATE volumes SET mount_point = ?, total_bytes = ?, last_seen_at = ? WHERE id = ? AND tracked = 1'
    )
    for (const row of rows) update.run([row.mountPoint, row.totalBytes, row.nowMs, row.id])
  },

  speedTestBegins(sql: Sql, { dir, nowMs }: { dir: Uint8Array; nowMs: number }): void {
    sql.prepare('INSERT INTO speed_tests (dir, made_at) VALUES (?, ?)').run([dir, nowMs])
  },

  speedTestEnded(sql: Sql, { dir }: { dir: Uint8Array }): void {
    sql.prepare('DELETE FROM speed_tests WHERE dir = ?').run([dir])
  },

  measured(sql: Sql, row: SpeedRow): void {
    sql
      .prepare(
        `INSERT INTO volumes (id, name, tracked, mount_point, total_bytes, tracked_at, last_seen_at,
           write_speed, read_speed, read_cached, speed_at)
         VALUES (?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET write_speed = excluded.write_speed, read_speed = excluded.read_speed,
           read_cached = excluded.read_cached, speed_at = excluded.speed_at`
      )
      .run([
        row.id,
        row.name,
        row.mountPoint,
        row.totalBytes,
        row.nowMs,
        row.nowMs,
        Math.round(row.writeSpeed),
        Math.round(row.readSpeed),
        row.readCached ? 1 : 0,
        row.nowMs
      ])
  }
})
