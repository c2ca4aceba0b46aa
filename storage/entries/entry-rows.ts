import type { Sql, Statement } from '../sql/index.js'
import { COLUMNS, type EntryRow, type Seen } from './row.js'

/**
 * The statements that write rows of `entries`. SQLite rewrites each index of which a column is named, changed or not:
 * what stays in its place and keeps its inode is written without naming those.
 */
export class EntryRows {
  readonly #insert: Statement
  readonly #whole: Statement
  readonly #stat: Statement
  readonly #content: Statement

  constructor(sql: Sql) {
    this.#insert = sql.prepare(
      `INSERT INTO entries (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
    )
    this.#whole = sql.prepare(
      `UPDATE entries SET (parent, name, kind, type, size, mtime_ns, ctime_ns, birth_ns, inode, device, mode, flags,
         content, seq, version) = (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) WHERE id = ?`
    )
    this.#stat = sql.prepare(
      `UPDATE entries SET (type, size, mtime_ns, ctime_ns, birth_ns, device, mode, flags, seq, version)
         = (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) WHERE id = ?`
    )
    this.#content = sql.prepare(
      'UPDATE entries SET (type, flags, content, seq, version) = (?, ?, ?, ?, ?) WHERE id = ?'
    )
  }

  /** Of `seen` all but the flags, which hold more than what was seen. */
  insert(seen: Seen, { id, parent, flags, content, seq, version }: Omit<EntryRow, Exclude<keyof Seen, 'flags'>>): void {
    this.#insert.run([
      id,
      parent,
      seen.name,
      seen.kind,
      seen.type,
      seen.size,
      seen.mtimeNs,
      seen.ctimeNs,
      seen.birthNs,
      seen.inode,
      seen.device,
      seen.mode,
      flags,
      content,
      seq,
      version
    ])
  }

  /** Every column. */
  rewrite(row: EntryRow): void {
    this.#whole.run([
      row.parent,
      row.name,
      row.kind,
      row.type,
      row.size,
      row.mtimeNs,
      row.ctimeNs,
      row.birthNs,
      row.inode,
      row.device,
      row.mode,
      row.flags,
      row.content,
      row.seq,
      row.version,
      row.id
    ])
  }

  /** What a stat says of the same file in the same place: all but parent, name, kind, inode and content. */
  rewriteStat(row: EntryRow): void {
    const { type, size, mtimeNs, ctimeNs, birthNs, device, mode, flags, seq, version, id } = row
    this.#stat.run([type, size, mtimeNs, ctimeNs, birthNs, device, mode, flags, seq, version, id])
  }

  /** What reading a file says of it: type, flags, content; and the version. */
  rewriteContent({ type, flags, content, seq, version, id }: EntryRow): void {
    this.#content.run([type, flags, content, seq, version, id])
  }
}
