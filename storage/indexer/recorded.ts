import { type EntryRow, KIND, nameKey, rowsBetween, SEEN_FLAGS, type Seen, sameStat } from '../entries/index.js'
import type { Sql } from '../sql/index.js'
import { type Columns, type NameRange, seenAt } from './batch.js'

export interface RecordedDirectory {
  readonly digest: Uint8Array | null
  readonly scanned_at: bigint
  readonly mtime_ns: bigint
  readonly ctime_ns: bigint
}

export interface KnownDirectory {
  readonly id: number
  readonly inode: bigint
  readonly birthNs: bigint
}

/** What the index holds of the directories that a slice of a walk comes to. */
export class Recorded {
  readonly #sql: Sql

  constructor(sql: Sql) {
    this.#sql = sql
  }

  /** The last whole listing; undefined when there was none. */
  directory(id: number): RecordedDirectory | undefined {
    return this.#sql
      .prepare<RecordedDirectory>(
        'SELECT digest, scanned_at, mtime_ns, ctime_ns FROM directories WHERE id = ? AND complete = 1',
        {
          bigint: true
        }
      )
      .get([id])
  }

  /** The directories right below one (those whose names lie in a range), by `nameKey`. */
  below(id: number, range?: NameRange): Map<string, KnownDirectory> {
    if (id <= 0) return new Map()
    if (range !== undefined) {
      const rows = rowsBetween(this.#sql, id, range).filter(row => row.kind === KIND.DIRECTORY)
      return new Map(rows.map(row => [nameKey(row.name), row]))
    }
    const rows = this.#sql
      .prepare<{ id: bigint; name: Uint8Array; inode: bigint; birth_ns: bigint }>(
        `SELECT e.id, e.name, e.inode, e.birth_ns FROM directories d JOIN entries e ON e.id = d.id WHERE d.parent = ?`,
        { bigint: true }
      )
      .all([id])
    return new Map(rows.map(r => [nameKey(r.name), { id: Number(r.id), inode: r.inode, birthNs: r.birth_ns }]))
  }

  /** Whether the rows of a stretch of a directory are just what the entries from `first` to `end` say, in the order of their names. */
  isSame(id: number, range: NameRange, columns: Columns, first: number, end: number): boolean {
    let i = first
    for (const row of rowsBetween(this.#sql, id, range)) {
      if (i >= end || !saysTheSame(row, seenAt(columns, i, row.device))) return false
      i++
    }
    return i === end
  }
}

function saysTheSame(row: EntryRow, seen: Seen): boolean {
  return (
    Buffer.compare(row.name, seen.name) === 0 &&
    row.kind === seen.kind &&
    row.mode === seen.mode &&
    (row.flags & SEEN_FLAGS) === seen.flags &&
    sameStat(row, seen)
  )
}
