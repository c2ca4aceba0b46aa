/** What goes of `vectors.db` in time, in its writer thread: some of it at once, so that looks need not wait for long. */
import { defineTasks } from '../../storage/base/index.js'
import type { Sql } from '../../storage/sql/index.js'
import { MAX_NAMES } from './vector-rows.js'

/** A deletion is forgotten after so long: who comes back later than that is judged by the archive alone. So is a folder of no sync. */
export const KEEP_GONE_MS = 365 * 24 * 3600 * 1000
/** Deletions remembered of one folder, some 300 bytes each: the latest. Packages that are installed anew every day make many. */
export const MAX_GONE = 250_000
/** Rows that go at once. */
export const TIDY_ROWS = 10_000
/** Names nobody bears any more are looked for, in all rows, when so many are known. */
const MANY_NAMES = MAX_NAMES / 2
/** The file gives back what is free in it when that is most of it, and so much. */
const FREE_BYTES = 64 * 1024 * 1024

export interface TidyInput {
  readonly nowMs: number
  /** MAX_GONE unless given. */
  readonly maxGone?: number | undefined
}

export const tidyingVectors = defineTasks(import.meta.url, {
  /** Folders that no sync uses, with all that was known of them, then deletions that are too old or too many. @returns there may be more */
  rows(sql: Sql, { nowMs, maxGone = MAX_GONE }: TidyInput): boolean {
    const sinceMs = nowMs - KEEP_GONE_MS
    for (const { id, used } of sql
      .prepare<{ id: number; used: number }>('SELECT id, used_at AS used FROM folders ORDER BY id')
      .all()) {
      const gone = used < sinceMs ? forget(sql, id) : forgetGone(sql, id, sinceMs, maxGone)
      if (gone > 0) return true
    }
    return false
  },

  /** Names of folders and syncs that stand in no version any more. @returns how many went */
  names(sql: Sql, { many = MANY_NAMES }: { many?: number }): number {
    const known = sql.prepare<{ n: number }>('SELECT count(*) AS n FROM names').get()!.n
    if (known < many) return 0
    const borne = new Set<number>()
    const versions = 'SELECT vector AS v FROM entries UNION SELECT was FROM entries UNION SELECT vector FROM intended'
    for (const { v } of sql.prepare<{ v: string | null }>(versions).iterate())
      for (const [i, n] of (v ?? '').split(' ').entries()) if (i % 2 === 0) borne.add(Number(n))
    for (const { by } of sql.prepare<{ by: number }>('SELECT DISTINCT by FROM entries').iterate()) borne.add(by)
    const drop = sql.prepare('DELETE FROM names WHERE id = ?')
    let dropped = 0
    for (const { id } of sql.prepare<{ id: number }>('SELECT id FROM names').all())
      if (!borne.has(id)) dropped += drop.run([id]).changes
    return dropped
  },

  /** Without a transaction around it. @returns whether the file was made smaller */
  shrink(sql: Sql, { freeBytes = FREE_BYTES }: { freeBytes?: number }): boolean {
    const [free, pages, size] = ['freelist_count', 'page_count', 'page_size'].map(name => Number(sql.pragma(name)))
    if (free! * 2 < pages! || free! * size! < freeBytes) return false
    sql.exec('VACUUM')
    return true
  }
})

function forget(sql: Sql, folder: number): number {
  const dropped = sql
    .prepare(
      'DELETE FROM entries WHERE folder = ? AND path IN (SELECT path FROM entries WHERE folder = ? ORDER BY path LIMIT ?)'
    )
    .run([folder, folder, TIDY_ROWS]).changes
  return dropped > 0 ? dropped : sql.prepare('DELETE FROM folders WHERE id = ?').run([folder]).changes
}

function forgetGone(sql: Sql, folder: number, sinceMs: number, maxGone: number): number {
  const { all, old } = sql
    .prepare<{ all: number; old: number }>(
      'SELECT count(*) AS "all", count(*) FILTER (WHERE gone < ?) AS old FROM entries WHERE folder = ? AND gone IS NOT NULL'
    )
    .get([sinceMs, folder])!
  const tooMany = Math.min(Math.max(old, all - maxGone), TIDY_ROWS)
  if (tooMany <= 0) return 0
  return sql
    .prepare(
      `DELETE FROM entries WHERE folder = ? AND path IN
         (SELECT path FROM entries WHERE folder = ? AND gone IS NOT NULL ORDER BY gone, seq LIMIT ?)`
    )
    .run([folder, folder, tooMany]).changes
}
