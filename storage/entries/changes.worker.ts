import { defineTasks, type FileName, textFromBytes } from '../base/index.js'
import { type Sql, type SqlValue, withReader } from '../sql/index.js'
import { deletedSince, droppedUpto } from './deleted.js'
import type { ChangedEntry } from './entry.js'
import { ENTRY_KINDS } from './flags.js'
import { columnsOf, entryOf, parseVersion, rowOf } from './row.js'

export interface ChangesPage {
  /** In order of seq; an entry that changed several times stands once, with its last seq. */
  readonly changes: readonly ChangedEntry[]
  /** Ask again with this seq while `more`. */
  readonly upto: number
  readonly more: boolean
  /** Not all that went after `seq` is remembered any more: whoever asks compares everything. */
  readonly gap: boolean
}

/** One page: some 30 ms of a thread. */
const PAGE = 5_000

export const changesOf = defineTasks(import.meta.url, {
  /** What changed in the index of a library after `seq`: exact, as long as the index id is the one that `seq` belongs to. */
  since({ databaseFile, seq, limit = PAGE }: { databaseFile: string; seq: number; limit?: number }): ChangesPage {
    return withReader(databaseFile, sql => changedSince(sql, seq, limit))
  },

  /** Writes down how far somebody has followed: what is gone since is kept for him. */
  seen(sql: Sql, { consumer, seq, nowMs }: { consumer: string; seq: number; nowMs: number }): void {
    sql
      .prepare(
        `INSERT INTO consumers VALUES (?, ?, ?)
         ON CONFLICT (name) DO UPDATE SET seq = max(seq, excluded.seq), seen_at = excluded.seen_at`
      )
      .run([consumer, seq, nowMs])
  },

  /** He follows no more. */
  left(sql: Sql, { consumer }: { consumer: string }): void {
    sql.prepare('DELETE FROM consumers WHERE name = ?').run([consumer])
  }
})

export function changedSince(sql: Sql, seq: number, limit: number): ChangesPage {
  const rows = sql
    .prepare<never>(
      `SELECT ${columnsOf('e')}, c.hash FROM entries e LEFT JOIN contents c ON c.id = e.content
       WHERE e.seq > ? ORDER BY e.seq LIMIT ?`,
      { raw: true, bigint: true }
    )
    .all([seq, limit]) as SqlValue[][]
  const present: ChangedEntry[] = rows.map(raw => ({
    change: 'present',
    entry: entryOf(rowOf(raw), raw[16] as Uint8Array | null)
  }))
  const gone: ChangedEntry[] = deletedSince(sql, seq, limit).map(row => ({
    change: 'gone',
    id: row.id,
    parent: row.parent,
    name: textFromBytes(row.name) as FileName,
    kind: ENTRY_KINDS[row.kind] ?? 'other',
    seq: row.seq,
    version: parseVersion(row.version)
  }))
  const seqOf = (c: ChangedEntry): number => (c.change === 'present' ? c.entry.seq : c.seq)
  const changes = [...present, ...gone].sort((a, b) => seqOf(a) - seqOf(b)).slice(0, limit)
  const last = changes.at(-1)
  return {
    changes,
    upto: last === undefined ? seq : seqOf(last),
    more: present.length + gone.length > changes.length || present.length === limit || gone.length === limit,
    gap: seq < droppedUpto(sql)
  }
}
