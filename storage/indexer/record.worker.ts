import { defineTasks } from '../base/index.js'
import { hashToBytes } from '../content/index.js'
import { adoptByContent, FLAG, IndexWriter, KIND, pathTextOf, rowById } from '../entries/index.js'
import type { Sql } from '../sql/index.js'
import type { IndexWrite, Written } from './apply.worker.js'
import type { Identified, NotIdentified } from './content.worker.js'

export interface Recorded extends Written {
  /** Absolute paths of files that are not any more what their row says: to be looked at again. */
  readonly outdated: readonly string[]
  /** Entries whose stat lay too near the reading. */
  readonly racy: readonly number[]
}

export const recording = defineTasks(import.meta.url, {
  /** Contents found by reading. A result counts only for the very stat that the row has. */
  contents(sql: Sql, input: IndexWrite & { found: readonly Identified[]; failed: readonly NotIdentified[] }): Recorded {
    const writer = new IndexWriter(sql, input)
    const outdated: string[] = []
    const again = (id: number): void => {
      const path = pathTextOf(sql, id, input.host)
      if (path !== undefined) outdated.push(path)
    }
    const racy: number[] = []
    for (const file of input.found) {
      const row = rowById(sql, file.id)
      if (row === undefined) continue
      // A file system without lasting inodes records 0.
      const sameInode = row.inode === file.inode || row.inode === 0n
      if (
        row.kind !== KIND.FILE ||
        row.size !== file.sizeBytes ||
        row.mtimeNs !== file.mtimeNs ||
        row.ctimeNs !== file.ctimeNs ||
        !sameInode
      ) {
        again(file.id)
        continue
      }
      if (file.racy) racy.push(file.id)
      const hash = hashToBytes(file.hash)
      const content = contentId(sql, file, hash, input.nowMs)
      const flags = (row.flags & ~(FLAG.STALE | FLAG.RACY | FLAG.UNREADABLE)) | (file.racy ? FLAG.RACY : 0)
      // It could be read, and what was said of older bytes is no longer so.
      if ((row.flags & FLAG.UNREADABLE) !== 0 || row.content !== content)
        sql.prepare('DELETE FROM problems WHERE entry = ?').run([row.id])
      if (row.content === content && row.flags === flags && row.type === file.type) continue
      // An edit by hand raises the version; learning the content of a file that is new does not: its making did.
      const learned = row.content === null
      if (!learned && row.content !== content) row.version = writer.raised(row.version, row.parent)
      row.content = content
      row.flags = flags
      row.type = file.type
      writer.rewriteContent(row)
      writer.counts.modified++
      if (learned) adoptByContent(sql, row.id, row.name, hash)
    }
    for (const { id, code, message } of input.failed) {
      const row = rowById(sql, id)
      if (row === undefined) continue
      if (code === 'ENOENT' || code === 'NOT_A_FILE' || code === 'ENOTDIR') {
        again(id)
        continue
      }
      if (code === 'CHANGED_WHILE_READING') racy.push(id)
      sql.prepare('INSERT OR REPLACE INTO problems VALUES (?, ?, ?, ?)').run([id, code, message, input.nowMs])
      const unreadable = code !== 'CHANGED_WHILE_READING'
      if (!unreadable || (row.flags & FLAG.UNREADABLE) !== 0) continue
      writer.rewriteContent({ ...row, flags: row.flags | FLAG.UNREADABLE })
      writer.counts.modified++
    }
    const { seq } = writer.finish()
    return { seq, counts: writer.counts, changes: writer.told.changes, stale: [], links: [], outdated, racy }
  },

  /** Facts about pictures, films and sound; null: there are none to be had. */
  media(
    sql: Sql,
    { facts, nowMs }: { facts: readonly { content: number; media: string | null }[]; nowMs: number }
  ): void {
    const set = sql.prepare('UPDATE contents SET media = ?, deep_at = ? WHERE id = ?')
    for (const { content, media } of facts) set.run([media, nowMs, content])
  }
})

function contentId(sql: Sql, file: Identified, hash: Uint8Array, nowMs: number): number {
  const known = sql.prepare<{ id: number }>('SELECT id FROM contents WHERE hash = ?').get([hash])
  if (known !== undefined) return known.id
  const mime = file.mime === null ? null : mimeId(sql, file.mime)
  return Number(
    sql
      .prepare('INSERT INTO contents (hash, size, cas, type, mime, made_at) VALUES (?, ?, ?, ?, ?, ?)')
      .run([hash, file.sizeBytes, Buffer.from(file.cas, 'hex'), file.type, mime, nowMs]).lastInsertRowid
  )
}

function mimeId(sql: Sql, name: string): number {
  const known = sql.prepare<{ id: number }>('SELECT id FROM mime_types WHERE name = ?').get([name])
  return known?.id ?? Number(sql.prepare('INSERT INTO mime_types (name) VALUES (?)').run([name]).lastInsertRowid)
}
