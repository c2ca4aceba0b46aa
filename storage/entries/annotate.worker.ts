import { randomUUID } from 'node:crypto'
import { defineTasks, displayPath, SpacedriveError } from '../base/index.js'
import { type Sql, withReader } from '../sql/index.js'
import { checkName, ensureMetadata, findMetadata, type Target } from './metadata.js'

export interface TagFacts {
  readonly name: string
  readonly color: string | null
  readonly icon: string | null
  /** Files and folders that bear it, also those that are away. */
  readonly count: number
}

/** A note of some pages. */
const MAX_NOTE = 64 * 1024

/** What people say of files: writes of a library's database. A row of metadata is made when something is said first. */
export const annotating = defineTasks(import.meta.url, {
  tag(sql: Sql, input: { host: number; nowMs: number; targets: readonly Target[]; tag: string; color?: string }): void {
    const tag = ensureTag(sql, input.tag, input.color, input.nowMs)
    const add = sql.prepare('INSERT OR IGNORE INTO metadata_tags (metadata, tag) VALUES (?, ?)')
    for (const target of input.targets) add.run([ensureMetadata(sql, input.host, target, input.nowMs), tag])
  },

  /** @returns how many bore it */
  untag(sql: Sql, input: { host: number; targets: readonly Target[]; tag: string }): number {
    const tag = needTag(sql, input.tag)
    let removed = 0
    for (const target of input.targets) {
      const metadata = findMetadata(sql, input.host, target.path, target)
      if (metadata === undefined) continue
      removed += sql.prepare('DELETE FROM metadata_tags WHERE metadata = ? AND tag = ?').run([metadata, tag]).changes
    }
    return removed
  },

  /** New name, new colour, or both. */
  changeTag(sql: Sql, input: { tag: string; name?: string; color?: string | null; nowMs: number }): void {
    const id = needTag(sql, input.tag)
    const { name, color, nowMs } = input
    if (name !== undefined) {
      checkName('tag', name)
      const other = sql.prepare<{ id: number }>('SELECT id FROM tags WHERE name = ?').get([name])
      if (other !== undefined && other.id !== id) {
        throw new SpacedriveError('EXISTS', `could not rename the tag ${input.tag}: there is a tag ${name} already`)
      }
      sql.prepare('UPDATE tags SET name = ?, updated_at = ? WHERE id = ?').run([name, nowMs, id])
    }
    if (color !== undefined)
      sql.prepare('UPDATE tags SET color = ?, updated_at = ? WHERE id = ?').run([color, nowMs, id])
  },

  /** The tag itself, from everything that bears it. */
  dropTag(sql: Sql, { tag }: { tag: string }): void {
    sql.prepare('DELETE FROM tags WHERE id = ?').run([needTag(sql, tag)])
  },

  say(
    sql: Sql,
    input: { host: number; nowMs: number; target: Target; notes?: string | null; favorite?: boolean; hidden?: boolean }
  ): void {
    const { notes, favorite, hidden, nowMs } = input
    if (notes != null && notes.length > MAX_NOTE) {
      throw new SpacedriveError('TOO_LARGE', `a note holds at most ${MAX_NOTE} characters`)
    }
    const id = ensureMetadata(sql, input.host, input.target, nowMs)
    sql
      .prepare(
        `UPDATE metadata SET notes = CASE WHEN ? THEN ? ELSE notes END, favorite = coalesce(?, favorite),
           hidden = coalesce(?, hidden), updated_at = ? WHERE id = ?`
      )
      .run([notes === undefined ? 0 : 1, notes ?? null, bit(favorite), bit(hidden), nowMs, id])
  },

  tags({ databaseFile }: { databaseFile: string }): TagFacts[] {
    return withReader(databaseFile, sql =>
      sql
        .prepare<{ name: string; color: string | null; icon: string | null; count: number }>(
          `SELECT name, color, icon, (SELECT count(*) FROM metadata_tags m WHERE m.tag = tags.id) AS count
           FROM tags ORDER BY name COLLATE NOCASE`
        )
        .all()
    )
  }
})

function ensureTag(sql: Sql, name: string, color: string | undefined, nowMs: number): number {
  checkName('tag', name)
  const known = sql.prepare<{ id: number }>('SELECT id FROM tags WHERE name = ?').get([name])
  if (known !== undefined) {
    if (color !== undefined)
      sql.prepare('UPDATE tags SET color = ?, updated_at = ? WHERE id = ?').run([color, nowMs, known.id])
    return known.id
  }
  return Number(
    sql
      .prepare('INSERT INTO tags (uuid, name, color, created_at, updated_at) VALUES (?, ?, ?, ?, ?)')
      .run([randomUUID(), name, color ?? null, nowMs, nowMs]).lastInsertRowid
  )
}

function needTag(sql: Sql, name: string): number {
  const tag = sql.prepare<{ id: number }>('SELECT id FROM tags WHERE name = ?').get([name])
  if (tag !== undefined) return tag.id
  throw new SpacedriveError('TAG_NOT_FOUND', `there is no tag ${displayPath(name)}`, {
    hint: 'spacedrive tag list shows those there are.'
  })
}

const bit = (value: boolean | undefined): number | null => (value === undefined ? null : value ? 1 : 0)
