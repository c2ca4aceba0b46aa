import { randomUUID } from 'node:crypto'
import { defineTasks, displayPath, SpacedriveError } from '../base/index.js'
import { type Sql, withReader } from '../sql/index.js'
import type { MarkFacts, MarkTasks } from './marks.js'
import { checkName, ensureMetadata, findMetadata, labelPath } from './metadata.js'

/** Deeper trees of labels are a mistake. */
const MAX_LEVELS = 16

/** The labels at and below `?`. */
const BELOW = `WITH RECURSIVE below(id) AS (
    VALUES (?) UNION SELECT l.id FROM labels l JOIN below ON l.parent = below.id)`

/** Labels are named by a path of names, the wider first: `Projects/Web`. */
export const labelling = defineTasks(import.meta.url, {
  add(sql, { host, nowMs, targets, name, color }): void {
    const label = ensureLabel(sql, namesOf(name), nowMs)!
    if (color !== undefined) setColor(sql, label, color, nowMs)
    const add = sql.prepare('INSERT OR IGNORE INTO metadata_labels (metadata, label) VALUES (?, ?)')
    for (const target of targets) add.run([ensureMetadata(sql, host, target, nowMs), label])
  },

  /** Takes off those below it as well. */
  remove(sql, { host, targets, name }): number {
    const label = needLabel(sql, name)
    const remove = sql.prepare(
      `${BELOW} DELETE FROM metadata_labels WHERE label IN (SELECT id FROM below) AND metadata = ?`
    )
    let removed = 0
    for (const target of targets) {
      const metadata = findMetadata(sql, host, target.path, target)
      if (metadata !== undefined && remove.run([label, metadata]).changes > 0) removed++
    }
    return removed
  },

  /** Those below it go as well. */
  drop(sql, { name }): void {
    sql.prepare('DELETE FROM labels WHERE id = ?').run([needLabel(sql, name)])
  },

  /** `to` is a whole path: another name, or another place in the tree. */
  change(sql, { name, to, color, nowMs }): void {
    const id = needLabel(sql, name)
    if (to !== undefined) {
      const names = namesOf(to)
      const there = findLabel(sql, names)
      if (there !== undefined && there !== id) {
        throw new SpacedriveError('EXISTS', `could not rename the label ${name}: there is a label ${to} already`)
      }
      const parent = ensureLabel(sql, names.slice(0, -1), nowMs)
      const inside = sql.prepare(`${BELOW} SELECT 1 FROM below WHERE id = ?`).get([id, parent])
      if (inside !== undefined) {
        throw new SpacedriveError('BAD_INPUT', `the label ${name} cannot be put below itself`)
      }
      const update = sql.prepare('UPDATE labels SET name = ?, parent = ?, updated_at = ? WHERE id = ?')
      update.run([names.at(-1)!, parent, nowMs, id])
    }
    if (color !== undefined) setColor(sql, id, color, nowMs)
  },

  list({ databaseFile }: { databaseFile: string }): readonly MarkFacts[] {
    return withReader(databaseFile, sql => {
      const count = sql.prepare<{ n: number }>(
        `${BELOW} SELECT count(DISTINCT metadata) AS n FROM metadata_labels WHERE label IN (SELECT id FROM below)`
      )
      return sql
        .prepare<{ id: number; color: string | null }>('SELECT id, color FROM labels')
        .all()
        .map(({ id, color }) => ({ name: labelPath(sql, id), color, count: count.get([id])!.n }))
        .sort((a, b) => a.name.localeCompare(b.name, 'en'))
    })
  }
} satisfies MarkTasks)

/** The label of that path and all below it. @throws LABEL_NOT_FOUND */
export function labelsBelow(sql: Sql, label: string): number[] {
  return sql
    .prepare<{ id: number }>(`${BELOW} SELECT id FROM below`)
    .all([needLabel(sql, label)])
    .map(l => l.id)
}

function namesOf(label: string): string[] {
  const names = label.split('/').filter(name => name !== '')
  for (const name of names) checkName('label', name)
  if (names.length > 0 && names.length <= MAX_LEVELS) return names
  throw new SpacedriveError('BAD_INPUT', `a label has 1 to ${MAX_LEVELS} names, as in Projects/Web`)
}

function findLabel(sql: Sql, names: readonly string[]): number | undefined {
  const find = sql.prepare<{ id: number }>('SELECT id FROM labels WHERE parent IS ? AND name = ?')
  let at: number | undefined
  for (const name of names) {
    at = find.get([at ?? null, name])?.id
    if (at === undefined) return undefined
  }
  return at
}

function needLabel(sql: Sql, label: string): number {
  const found = findLabel(sql, namesOf(label))
  if (found !== undefined) return found
  throw new SpacedriveError('LABEL_NOT_FOUND', `there is no label ${displayPath(label)}`, {
    hint: 'spacedrive label list shows those there are.'
  })
}

/** @returns null for no names: the top */
function ensureLabel(sql: Sql, names: readonly string[], nowMs: number): number | null {
  const insert = sql.prepare('INSERT INTO labels (uuid, name, parent, created_at, updated_at) VALUES (?, ?, ?, ?, ?)')
  let parent: number | null = null
  for (const [i, name] of names.entries()) {
    const known = findLabel(sql, names.slice(0, i + 1))
    parent = known ?? Number(insert.run([randomUUID(), name, parent, nowMs, nowMs]).lastInsertRowid)
  }
  return parent
}

function setColor(sql: Sql, label: number, color: string | null, nowMs: number): void {
  sql.prepare('UPDATE labels SET color = ?, updated_at = ? WHERE id = ?').run([color, nowMs, label])
}
