import { randomUUID } from 'node:crypto'
import { type AbsPath, pathBytes, SpacedriveError } from '../base/index.js'
import type { Sql } from '../sql/index.js'
import { findByPath, rowById } from './lookup.js'

/** A file or folder that something is said of, indexed or not; the stat tells it when it comes back elsewhere. */
export interface Target {
  readonly path: AbsPath
  readonly inode: bigint | null
  readonly birthNs: bigint | null
}

export interface Said {
  readonly tags: readonly string[]
  /** Each as its whole path: `Projects/Web`. */
  readonly labels: readonly string[]
  readonly notes: string | null
  readonly favorite: boolean
  /** It and, for a folder, all below it are left out of searches. */
  readonly hidden: boolean
}

const NOTHING: Said = { tags: [], labels: [], notes: null, favorite: false, hidden: false }

export function saidOf(sql: Sql, metadata: number | undefined): Said {
  if (metadata === undefined) return NOTHING
  const row = sql
    .prepare<{ notes: string | null; favorite: number; hidden: number }>(
      'SELECT notes, favorite, hidden FROM metadata WHERE id = ?'
    )
    .get([metadata])
  const tags = sql
    .prepare<{ name: string }>(
      'SELECT t.name FROM metadata_tags m JOIN tags t ON t.id = m.tag WHERE m.metadata = ? ORDER BY t.name'
    )
    .all([metadata])
    .map(t => t.name)
  const labels = sql
    .prepare<{ label: number }>('SELECT label FROM metadata_labels WHERE metadata = ?')
    .all([metadata])
    .map(m => labelPath(sql, m.label))
    .sort()
  return { tags, labels, notes: row?.notes ?? null, favorite: row?.favorite === 1, hidden: row?.hidden === 1 }
}

/** The whole path of a label, the widest name first. */
export function labelPath(sql: Sql, label: number): string {
  const step = sql.prepare<{ name: string; parent: number | null }>('SELECT name, parent FROM labels WHERE id = ?')
  const names: string[] = []
  for (let at: number | null = label; at !== null; ) {
    const row = step.get([at])
    if (row === undefined) break
    names.unshift(row.name)
    at = row.parent
  }
  return names.join('/')
}

/**
 * The row of what was said of a path, if anything was. A file that no entry stands for is known by its path, else, when
 * `stat` is given, by inode and time of birth: it was moved while nobody looked.
 */
export function findMetadata(sql: Sql, host: number, path: AbsPath, stat?: Omit<Target, 'path'>): number | undefined {
  const entry = findByPath(sql, host, path)
  if (entry !== undefined) {
    const row = sql.prepare<{ id: number }>('SELECT id FROM metadata WHERE entry = ?').get([entry])
    if (row !== undefined) return row.id
  }
  const waiting = sql
    .prepare<{ id: number }>(
      'SELECT id FROM metadata INDEXED BY metadata_by_path WHERE host = ? AND path = ? AND entry IS NULL'
    )
    .get([host, pathBytes(path)])
  if (waiting !== undefined || stat?.inode == null || stat.birthNs == null || stat.birthNs === 0n) return waiting?.id
  return sql
    .prepare<{ id: number }>(
      `SELECT id FROM metadata INDEXED BY metadata_by_inode
       WHERE entry IS NULL AND host = ? AND inode = ? AND birth_ns = ?`
    )
    .get([host, stat.inode, stat.birthNs])?.id
}

/** The row of what is said of a path, made when there is none. */
export function ensureMetadata(sql: Sql, host: number, target: Target, nowMs: number): number {
  const { path, inode, birthNs } = target
  const entry = findByPath(sql, host, path)
  const known = findMetadata(sql, host, path, target)
  if (known !== undefined) {
    sql
      .prepare('UPDATE metadata SET entry = coalesce(?, entry), path = ? WHERE id = ?')
      .run([entry ?? null, pathBytes(path), known])
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

/** What tags and labels may be called. */
const MAX_NAME = 100

/** @throws BAD_INPUT */
export function checkName(what: 'tag' | 'label', name: string): void {
  if (name.trim() === name && name !== '' && name.length <= MAX_NAME && !/\p{Cc}/u.test(name)) return
  throw new SpacedriveError('BAD_INPUT', `a ${what} cannot be called ${JSON.stringify(name)}`, {
    hint: `Choose 1 to ${MAX_NAME} characters without line breaks that do not begin or end with a space.`
  })
}
