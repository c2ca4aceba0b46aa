/** The writes of syncs that other devices drive, run in the writer thread of the instance database: each is one transaction. */
import { type DeviceId, defineTasks, SpacedriveError } from '../../storage/base/index.js'
import type { Sql } from '../../storage/sql/index.js'
import { MAX_SERVED } from './limits.js'

export interface AskedSync {
  readonly device: DeviceId
  readonly uuid: string
  readonly name: string
  readonly mode: string
  readonly side: string
  readonly theirs: string
  readonly path: Uint8Array
  readonly at: number
}

export interface AcceptedSync {
  readonly id: number
  readonly path: Uint8Array
  readonly inode: string
  readonly birth: string
  readonly versions: string | null
  readonly maxDelete: number | null
  readonly at: number
}

export const servingWrites = defineTasks(import.meta.url, {
  /** Asked again, as the last time, while nobody has accepted it. @returns whether it is new */
  ask(sql: Sql, { device, uuid, name, mode, side, theirs, path, at }: AskedSync): boolean {
    const known = sql
      .prepare<{ path: Uint8Array | null }>('SELECT path FROM served_syncs WHERE device = ? AND uuid = ?')
      .get([device, uuid])
    if (known !== undefined && known.path !== null) return false
    const { n } = sql.prepare('SELECT count(*) AS n FROM served_syncs WHERE device = ?').get([device]) as { n: number }
    if (known === undefined && n >= MAX_SERVED)
      throw new SpacedriveError('TOO_MANY', `the device asked for ${MAX_SERVED} syncs already`)
    sql
      .prepare(
        `INSERT INTO served_syncs (device, uuid, name, mode, side, theirs, asked_path, asked_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (device, uuid) DO UPDATE SET name = excluded.name, mode = excluded.mode, side = excluded.side,
           theirs = excluded.theirs, asked_path = excluded.asked_path, asked_at = excluded.asked_at`
      )
      .run([device, uuid, name, mode, side, theirs, path, at])
    return known === undefined
  },

  accept(sql: Sql, { id, path, inode, birth, versions, maxDelete, at }: AcceptedSync): void {
    sql
      .prepare(
        `UPDATE served_syncs SET path = ?, inode = ?, birth = ?, versions = ?, max_delete = ?, accepted_at = ?, window_from = ?,
           files = NULL WHERE id = ?`
      )
      .run([path, inode, birth, versions, maxDelete, at, at, id])
  },

  remove(sql: Sql, { id }: { id: number }): void {
    sql.prepare('DELETE FROM served_syncs WHERE id = ?').run([id])
  },

  forget(sql: Sql, { device }: { device: DeviceId }): void {
    sql.prepare('DELETE FROM served_syncs WHERE device = ?').run([device])
  },

  pause(sql: Sql, { id, paused }: { id: number; paused: boolean }): void {
    sql.prepare('UPDATE served_syncs SET paused = ? WHERE id = ?').run([paused ? 1 : 0, id])
  },

  counted(sql: Sql, { id, files, at }: { id: number; files: number; at: number }): void {
    sql.prepare('UPDATE served_syncs SET files = ?, counted_at = ? WHERE id = ?').run([files, at, id])
  },

  halted(sql: Sql, { id, taken }: { id: number; taken: string }): void {
    sql.prepare('UPDATE served_syncs SET halted = ? WHERE id = ?').run([taken, id])
  },

  /** A person said yes to what was stopped; what was done before counts no more. */
  allow(sql: Sql, { id, at }: { id: number; at: number }): void {
    sql.prepare('UPDATE served_syncs SET allowed = halted, window_from = ? WHERE id = ?').run([at, id])
  },

  /** Before a batch is done: what it will have taken away, and how many files more or fewer there will be. */
  begin(
    sql: Sql,
    {
      id,
      run,
      at,
      removed,
      replaced,
      more
    }: { id: number; run: string; at: number; removed: number; replaced: number; more: number }
  ): void {
    sql
      .prepare(
        `INSERT INTO served_runs (sync, run, began_at, removed, replaced) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (sync, run) DO UPDATE SET removed = removed + excluded.removed, replaced = replaced + excluded.replaced`
      )
      .run([id, run, at, removed, replaced])
    sql.prepare('UPDATE served_syncs SET settled_at = NULL, files = max(0, files + ?) WHERE id = ?').run([more, id])
  },

  /** A run went through. @param since - older runs count for nothing any more */
  ended(sql: Sql, { id, at, since, settled }: { id: number; at: number; since: number; settled: boolean }): void {
    sql
      .prepare('UPDATE served_syncs SET agreed = 1, halted = NULL, allowed = NULL, last_run_at = ? WHERE id = ?')
      .run([at, id])
    if (settled) sql.prepare('UPDATE served_syncs SET settled_at = ? WHERE id = ?').run([at, id])
    sql.prepare('DELETE FROM served_runs WHERE sync = ? AND began_at < ?').run([id, since])
  }
})
