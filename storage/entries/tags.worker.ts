import { randomUUID } from 'node:crypto'
import { defineTasks, displayPath, SpacedriveError } from '../base/index.js'
import { type Sql, withReader } from '../sql/index.js'
import type { MarkFacts, MarkTasks } from './marks.js'
import { checkName, ensureMetadata, findMetadata } from './metadata.js'

export interface TagFacts extends MarkFacts {
  readonly icon: string | null
}

export const tagging = defineTasks(import.meta.url, {
  add(sql, { host, nowMs, targets, name, color }): void {
    const tag = ensureTag(sql, name, nowMs)
    if (color !== undefined) setColor(sql, tag, color, nowMs)
    const add = sql.prepare('INSERT OR IGNORE INTO metadata_tags (metadata, tag) VALUES (?, ?)')
    for (const target of targets) add.run([ensureMetadata(sql, host, target, nowMs), tag])
  },

  remove(sql, { host, targets, name }): number {
    const tag = needTag(sql, name)
    const remove = sql.prepare('DELETE FROM metadata_tags WHERE metadata = ? AND tag = ?')
    let removed = 0
    for (const target of targets) {
      const metadata = findMetadata(sql, host, target.path, target)
      if (metadata !== undefined) removed += remove.run([metadata, tag]).changes
    }
    return removed
  },

  drop(sql, { name }): void {
    sql.prepare('DELETE FROM tags WHERE id = ?').run([needTag(sql, name)])
  },

  change(sql, { name, to, color, nowMs }): void {
    const id = needTag(sql, name)
    if (to !== undefined) {
      checkName('tag', to)
      const other = findTag(sql, to)
      if (other !== undefined && other !== id) {
        throw new SpacedriveError('EXISTS', `could not rename the tag ${name}: there is a tag ${to} already`)
      }
      sql.prepare('UPDATE tags SET name = ?, updated_at = ? WHERE id = ?').run([to, nowMs, id])
    }
    if (color !== undefined) setColor(sql, id, color, nowMs)
  },

  list({ databaseFile }: { databaseFile: string }): readonly TagFacts[] {
    return withReader(databaseFile, sql =>
      sql
        .prepare<{ name: string; color: string | null; icon: string | null; count: number }>(
          `SELECT name, color, icon, (SELECT count(*) FROM metadata_tags m WHERE m.tag = tags.id) AS count
           FROM tags ORDER BY name COLLATE NOCASE`
        )
        .all()
    )
  }
} satisfies MarkTasks)

function findTag(sql: Sql, name: string): number | undefined {
  return sql.prepare<{ id: number }>('SELECT id FROM tags WHERE name = ?').get([name])?.id
}

function needTag(sql: Sql, name: string): number {
  const tag = findTag(sql, name)
  if (tag !== undefined) return tag
  throw new SpacedriveError('TAG_NOT_FOUND', `there is no tag ${displayPath(name)}`, {
    hint: 'spacedrive tag list shows those there are.'
  })
}

function ensureTag(sql: Sql, name: string, nowMs: number): number {
  checkName('tag', name)
  const insert = sql.prepare('INSERT INTO tags (uuid, name, created_at, updated_at) VALUES (?, ?, ?, ?)')
  return findTag(sql, name) ?? Number(insert.run([randomUUID(), name, nowMs, nowMs]).lastInsertRowid)
}

function setColor(sql: Sql, tag: number, color: string | null, nowMs: number): void {
  sql.prepare('UPDATE tags SET color = ?, updated_at = ? WHERE id = ?').run([color, nowMs, tag])
}
