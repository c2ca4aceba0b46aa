import { lstatSync } from 'node:fs'
import { fsPath, textFromBytes } from '../base/index.js'
import type { SqlValue } from '../sql/index.js'
import { KIND } from './flags.js'
import type { IndexWriter } from './index-writer.js'
import { DISPLACED, rowById } from './lookup.js'
import { placeOf } from './placement.js'
import { COLUMNS, type EntryRow, rowOf } from './row.js'

export interface Settled {
  /** Something is left to be settled. */
  more: boolean
  /** Absolute paths that were missing and are there after all: to be looked at again. */
  again: string[]
}

interface Place {
  parent: number
  name: Uint8Array
}

/**
 * Decides what a run has put into limbo: what was found nowhere else and is not at its place now is gone. A directory goes
 * with all below it, bottom up, so that it can be done in parts.
 * @param limit - rows removed at most in this write
 * @param confirm - called after the names were looked for and before anything is removed; throws when that look proves nothing
 */
export function settle(writer: IndexWriter, run: number, limit: number, confirm: () => void): Settled {
  const { sql } = writer
  const again: string[] = []
  const rows = sql
    .prepare<{ id: number; parent: number; name: Uint8Array }>(
      'SELECT id, parent, name FROM limbo WHERE run = ? ORDER BY id LIMIT ?'
    )
    .all([run, limit])
  if (rows.length === 0) return { more: false, again }
  let left = limit
  const looked = rows.map(place => {
    const row = rowById(sql, place.id)
    const path = placeOf(writer, place.parent, place.name)
    const there = row !== undefined && row.parent > DISPLACED && path !== undefined && isThere(path)
    return { place, path, there }
  })
  confirm()
  for (const { place, path, there } of looked) {
    if (left <= 0) return { more: true, again }
    const row = rowById(sql, place.id)
    if (there && path !== undefined) again.push(textFromBytes(path))
    else if (row !== undefined) {
      left -= removeTree(writer, row, place, path, left, true)
      if (rowById(sql, place.id) !== undefined) return { more: true, again }
    }
    sql.prepare('DELETE FROM limbo WHERE id = ?').run([place.id])
  }
  return { more: rows.length === limit, again }
}

/**
 * Removes an entry with all below it, bottom up, at most `limit` rows: what is left still hangs together.
 * @returns rows removed; the entry itself went last, if it went
 */
export function removeTree(
  writer: IndexWriter,
  top: EntryRow,
  place: Place,
  path: Buffer | undefined,
  limit: number,
  tombstone: boolean
): number {
  const children = writer.sql.prepare<never>(`SELECT ${COLUMNS} FROM entries WHERE parent = ? LIMIT ?`, {
    raw: true,
    bigint: true
  })
  let removed = 0
  const open: { row: EntryRow; place: Place; path: Buffer | undefined }[] = [{ row: top, place, path }]
  while (open.length > 0 && removed < limit) {
    const at = open.at(-1)!
    if (at.row.kind === KIND.DIRECTORY) {
      const below = (children.all([at.row.id, limit - removed]) as SqlValue[][]).map(rowOf)
      if (below.length > 0) {
        for (const row of below) {
          const childPath = at.path === undefined ? undefined : Buffer.concat([at.path, slash, row.name])
          if (row.kind === KIND.DIRECTORY) open.push({ row, place: row, path: childPath })
          else {
            writer.remove(row, row, childPath, tombstone)
            removed++
          }
        }
        continue
      }
    }
    open.pop()
    writer.remove(at.row, at.place, at.path, tombstone)
    removed++
  }
  return removed
}

function isThere(path: Uint8Array): boolean {
  try {
    return lstatSync(fsPath(textFromBytes(path)), { throwIfNoEntry: false }) !== undefined
  } catch (err) {
    // A directory that may not be searched hides what is in it; that is no proof that it is gone.
    return (err as { code?: string }).code !== 'ENOTDIR'
  }
}

const slash = Buffer.from('/')
