import { randomUUID } from 'node:crypto'
import { type AbsPath, defineTasks, displayPath, pathBytes, SpacedriveError } from '../base/index.js'
import { type Sql, withReader } from '../sql/index.js'
import { findByPath, rowById } from './lookup.js'

/** A file or folder that something is said of, indexed or not; the stat tells it when it comes back elsewhere. */
export interface Target {
  readonly path: AbsPath
  readonly inode: bigint | null
  readonly birthNs: bigint | null
}

export interface TagFacts {
  readonly name: string
  readonly color: string | null
  readonly icon: string | null
  /** Files and folders that bear it, also those that are away. */
  readonly count: number
}

export interface Said {
  readonly tags: readonly string[]
  readonly labels: readonly string[]
  readonly notes: string | null
  readonly favorite: boolean
}

/** What people may write: a note of some pages, a tag of some words. */
const MAX_NOTE = 64 * 1024
const MAX_TAG = 100

const NOTHING: Said = { tags: [], labels: [], notes: null, favorite: false }

/** What people say of files: writes of a library's database. A row of metadata is made when something is said first. */
export const annotating = defineTasks(import.meta.url, {
  tag(sql: Sql, input: { host: number; nowMs: number; targets: readonly Target[]; tag: string; color?: string }): void {
    const tag = ensureTag(sql, input.tag, input.color, input.nowMs)
    const add = sql.prepare('INSERT OR IGNORE INTO metadata_tags (metadata, tag) VALUES (?, ?)')
    for (const target of input.targets) add.run([ensureMetadata(sql, input.host, target, input.nowMs), tag])
  },

  /** @returns how many bore it */
  untag(sql: Sql, input: { host: number; paths: readonly AbsPath[]; tag: string }): number {
    const tag = needTag(sql, input.tag)
    let removed = 0
    for (const path of input.paths) {
      const metadata = findMetadata(sql, input.host, path)
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
      checkTag(name)
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

  /** A label is a path of names, the wider first: `Projects/Web`. */
  label(sql: Sql, input: { host: number; nowMs: number; targets: readonly Target[]; label: string }): void {
    let parent: number | null = null
    for (const name of input.label.split('/').filter(Boolean)) parent = ensureLabel(sql, parent, name, input.nowMs)
    if (parent === null) throw new SpacedriveError('BAD_INPUT', 'a label needs a name')
    for (const target of input.targets) {
      const metadata = ensureMetadata(sql, input.host, target, input.nowMs)
      sql.prepare('INSERT OR IGNORE INTO metadata_labels (metadata, label) VALUES (?, ?)').run([metadata, parent])
    }
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
  },

  said({ databaseFile, host, path }: { databaseFile: string; host: number; path: AbsPath }): Said {
    return withReader(databaseFile, sql => saidOf(sql, findMetadata(sql, host, path)))
  }
})

export function saidOf(sql: Sql, metadata: number | undefined): Said {
  if (metadata === undefined) return NOTHING
  const row = sql
    .prepare<{ notes: string | null; favorite: number }>('SELECT notes, favorite FROM metadata WHERE id = ?')
    .get([metadata])
  const names = (table: 'tag' | 'label'): string[] =>
    sql
      .prepare<{ name: string }>(
        `SELECT t.name FROM metadata_${table}s m JOIN ${table}s t ON t.id = m.${table} WHERE m.metadata = ? ORDER BY t.name`
      )
      .all([metadata])
      .map(t => t.name)
  return { tags: names('tag'), labels: names('label'), notes: row?.notes ?? null, favorite: row?.favorite === 1 }
}

/** The row of what was said of a path, if anything was. */
export function findMetadata(sql: Sql, host: number, path: AbsPath): number | undefined {
  const entry = findByPath(sql, host, path)
  if (entry !== undefined) {
    const row = sql.prepare<{ id: number }>('SELECT id FROM metadata WHERE entry = ?').get([entry])
    if (row !== undefined) return row.id
  }
  return sql
    .prepare<{ id: number }>('SELECT id FROM metadata WHERE host = ? AND path = ? AND entry IS NULL')
    .get([host, pathBytes(path)])?.id
}

function ensureMetadata(sql: Sql, host: number, { path, inode, birthNs }: Target, nowMs: number): number {
  const entry = findByPath(sql, host, path)
  const known = findMetadata(sql, host, path)
  if (known !== undefined) {
    if (entry !== undefined) sql.prepare('UPDATE metadata SET entry = ? WHERE id = ?').run([entry, known])
    return known
  }
  const content = entry === undefined ? undefined : rowById(sql, entry)?.content
  const hash =
    content == null
      ? null
      : sql.prepare<{ hash: Uint8Array }>('SELECT hash FROM contents WHERE id = ?').get([content])!.hash
  return Number(
    sql
      .prepare(
        `INSERT INTO metadata (uuid, entry, host, path, inode, birth_ns, hash, created_at, updated_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`
      )
      .run([randomUUID(), entry ?? null, host, pathBytes(path), inode, birthNs, hash, nowMs, nowMs]).lastInsertRowid
  )
}

function ensureTag(sql: Sql, name: string, color: string | undefined, nowMs: number): number {
  checkTag(name)
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

function ensureLabel(sql: Sql, parent: number | null, name: string, nowMs: number): number {
  const known = sql.prepare<{ id: number }>('SELECT id FROM labels WHERE parent IS ? AND name = ?').get([parent, name])
  if (known !== undefined) return known.id
  const insert = sql.prepare('INSERT INTO labels (uuid, name, parent, created_at, updated_at) VALUES (?, ?, ?, ?, ?)')
  return Number(insert.run([randomUUID(), name, parent, nowMs, nowMs]).lastInsertRowid)
}

function needTag(sql: Sql, name: string): number {
  const tag = sql.prepare<{ id: number }>('SELECT id FROM tags WHERE name = ?').get([name])
  if (tag !== undefined) return tag.id
  throw new SpacedriveError('TAG_NOT_FOUND', `there is no tag ${displayPath(name)}`, {
    hint: 'spacedrive tag list shows those there are.'
  })
}

function checkTag(name: string): void {
  if (name.trim() === name && name !== '' && name.length <= MAX_TAG && !/\p{Cc}/u.test(name)) return
  throw new SpacedriveError('BAD_INPUT', `a tag cannot be called "${displayPath(name)}"`, {
    hint: `Choose 1 to ${MAX_TAG} characters without line breaks that do not begin or end with a space.`
  })
}

const bit = (value: boolean | undefined): number | null => (value === undefined ? null : value ? 1 : 0)
