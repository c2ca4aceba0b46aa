import { defineTasks, displayPath, SpacedriveError } from '../base/index.js'
import type { Sql } from '../sql/index.js'
import { ensureMetadata, findMetadata, type Said, type Target } from './metadata.js'

/** What people say of one file beside tags and labels. What is left out stays as it is. */
export type SaidOfFile = { readonly [K in 'notes' | 'favorite' | 'hidden']?: Said[K] | undefined }

/** A note of some pages. */
const MAX_NOTE = 64 * 1024

/** Writes of a library's database. A row of metadata is made when something is said first. */
export const annotating = defineTasks(import.meta.url, {
  say(sql: Sql, input: SaidOfFile & { host: number; nowMs: number; target: Target }): void {
    const { host, target, notes, favorite, hidden, nowMs } = input
    if (notes != null && notes.length > MAX_NOTE) {
      throw new SpacedriveError('TOO_LARGE', `a note holds at most ${MAX_NOTE} characters`)
    }
    if (target.inode === null && findMetadata(sql, host, target.path) === undefined) {
      throw new SpacedriveError('NOT_FOUND', `there is no ${displayPath(target.path)}, and nothing was said of it`)
    }
    const id = ensureMetadata(sql, host, target, nowMs)
    sql
      .prepare(
        `UPDATE metadata SET notes = CASE WHEN ? THEN ? ELSE notes END, favorite = coalesce(?, favorite),
           hidden = coalesce(?, hidden), updated_at = ? WHERE id = ?`
      )
      .run([notes === undefined ? 0 : 1, notes ?? null, bit(favorite), bit(hidden), nowMs, id])
  }
})

const bit = (value: boolean | undefined): number | null => (value === undefined ? null : value ? 1 : 0)
