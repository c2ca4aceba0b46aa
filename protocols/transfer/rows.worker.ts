/** The writes of transfers, run in the writer thread of the instance database: each is one transaction. */
import { type DeviceId, defineTasks, SpacedriveError, type TransferId } from '../../storage/base/index.js'
import type { Sql } from '../../storage/sql/index.js'

export interface NewRow {
  readonly id: TransferId
  readonly device: DeviceId
  readonly direction: 'send' | 'receive'
  readonly owner: string
  readonly manifestHash: Uint8Array
  readonly selectionHash: Uint8Array
  readonly intoPath: Uint8Array | null
  readonly nowMs: number
}

export interface Ending {
  readonly id: TransferId
  readonly state: 'completed' | 'failed' | 'cancelled'
  readonly code?: string
  readonly doneFiles?: number
  readonly doneBytes?: number
  readonly problemCount?: number
  /** JSON. */
  readonly problems?: string
  readonly placed?: string
  readonly untold?: boolean
  readonly nowMs: number
}

export interface Progressed {
  readonly id: TransferId
  readonly doneFiles: number
  readonly doneBytes: number
  readonly nowMs: number
}

export interface Arrived extends Progressed {
  readonly problemCount: number
  /** JSON. */
  readonly problems: string
}

export const transferWrites = defineTasks(import.meta.url, {
  /**
   * Remembers a transfer, or finds the same one again.
   * @throws {SpacedriveError} ID_TAKEN by another device, direction, manifest, selection or folder
   */
  begin(sql: Sql, row: NewRow): void {
    const there = sql
      .prepare(
        `SELECT device = ? AND direction = ? AND manifest_hash = ? AND selection_hash = ? AND into_path IS ? AS same
         FROM transfers WHERE id = ?`
      )
      .get([row.device, row.direction, row.manifestHash, row.selectionHash, row.intoPath, row.id])
    if (there?.same === 0)
      throw new SpacedriveError('ID_TAKEN', `could not begin transfer ${row.id}: the id belongs to another transfer`)
    if (there !== undefined) {
      sql
        .prepare("UPDATE transfers SET state = 'active', code = NULL, updated_ms = ? WHERE id = ? AND state = 'failed'")
        .run([row.nowMs, row.id])
      return
    }
    sql
      .prepare(
        `INSERT INTO transfers (id, device, direction, owner, state, manifest_hash, selection_hash, into_path, staged,
           created_ms, updated_ms) VALUES (?, ?, ?, ?, 'active', ?, ?, ?, ?, ?, ?)`
      )
      .run([
        row.id,
        row.device,
        row.direction,
        row.owner,
        row.manifestHash,
        row.selectionHash,
        row.intoPath,
        row.direction === 'receive' ? 1 : 0,
        row.nowMs,
        row.nowMs
      ])
  },

  progress(sql: Sql, { id, doneFiles, doneBytes, nowMs }: Progressed): void {
    sql
      .prepare("UPDATE transfers SET done_files = ?, done_bytes = ?, updated_ms = ? WHERE id = ? AND state = 'active'")
      .run([doneFiles, doneBytes, nowMs, id])
  },

  /** What there is to say of a transfer whose content is all there, before it gets its names. */
  arrived(sql: Sql, { id, doneFiles, doneBytes, problemCount, problems, nowMs }: Arrived): void {
    sql
      .prepare(
        `UPDATE transfers SET done_files = ?, done_bytes = ?, problem_count = ?, problems = ?, updated_ms = ?
         WHERE id = ? AND state = 'active'`
      )
      .run([doneFiles, doneBytes, problemCount, problems, nowMs, id])
  },

  /** @returns false when it had ended otherwise before: the first end counts */
  end(sql: Sql, e: Ending): boolean {
    const { changes } = sql
      .prepare(
        `UPDATE transfers SET state = ?, code = ?, done_files = coalesce(?, done_files),
           done_bytes = coalesce(?, done_bytes), problem_count = coalesce(?, problem_count),
           problems = coalesce(?, problems), placed = coalesce(?, placed), untold = ?, updated_ms = ?
         WHERE id = ? AND state IN ('active', 'failed')`
      )
      .run([
        e.state,
        e.code ?? null,
        e.doneFiles ?? null,
        e.doneBytes ?? null,
        e.problemCount ?? null,
        e.problems ?? null,
        e.placed ?? null,
        e.untold === true ? 1 : 0,
        e.nowMs,
        e.id
      ])
    return changes > 0
  },

  told(sql: Sql, id: TransferId): void {
    sql.prepare('UPDATE transfers SET untold = 0 WHERE id = ?').run([id])
  },

  unstaged(sql: Sql, id: TransferId): void {
    sql.prepare('UPDATE transfers SET staged = 0 WHERE id = ?').run([id])
  },

  /** Gives up what nobody went on with, and forgets what ended long ago and left nothing behind. */
  expire(sql: Sql, { beforeMs, nowMs }: { beforeMs: number; nowMs: number }): void {
    sql
      .prepare(
        "UPDATE transfers SET state = 'failed', code = 'EXPIRED', updated_ms = ? WHERE state = 'active' AND updated_ms < ?"
      )
      .run([nowMs, beforeMs])
    sql.prepare("DELETE FROM transfers WHERE state != 'active' AND staged = 0 AND updated_ms < ?").run([beforeMs])
  }
})
