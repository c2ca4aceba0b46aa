import type { Sql, SqlValue } from '../sql/index.js'
import { namesGoneSeq } from './names.js'
import type { EntryRow } from './row.js'
import { getMeta, setMeta } from './state.js'

/** An entry that is gone (table `deleted`). */
export interface DeletedRow {
  id: number
  parent: number
  name: Uint8Array
  kind: number
  size: number
  mtimeNs: bigint
  birthNs: bigint
  inode: bigint
  device: bigint
  content: number | null
  seq: number
  version: string | null
}

/** How long the gone are remembered when no consumer needs them: a file taken out of the trash is known again. */
export const KEEP_DELETED_MS = 30 * 24 * 3600 * 1000
/** A consumer that was not seen for so long holds nothing back any more; it meets a gap and compares everything. */
export const CONSUMER_LIFETIME_MS = 180 * 24 * 3600 * 1000
/** Kept at most: some 200 MB. Consumers who have not seen what goes beyond it are told so and compare everything. */
export const MAX_DELETED = 2_000_000
/** Tombstones looked at for one inode: inode numbers are used again. */
const MAX_SAME_INODE = 16

const COLUMNS = 'id, parent, name, kind, size, mtime_ns, birth_ns, inode, device, content, seq, version'

export function deletedByInode(sql: Sql, inode: bigint): DeletedRow[] {
  return (
    sql
      .prepare<never>(`SELECT ${COLUMNS} FROM deleted WHERE inode = ? ORDER BY seq DESC LIMIT ${MAX_SAME_INODE}`, {
        raw: true,
        bigint: true
      })
      .all([inode]) as SqlValue[][]
  ).map(deletedRowOf)
}

/** Entries gone after `seq`, in order. */
export function deletedSince(sql: Sql, seq: number, limit: number): DeletedRow[] {
  return (
    sql
      .prepare<never>(`SELECT ${COLUMNS} FROM deleted WHERE seq > ? ORDER BY seq LIMIT ?`, { raw: true, bigint: true })
      .all([seq, limit]) as SqlValue[][]
  ).map(deletedRowOf)
}

export function buryRow(
  sql: Sql,
  row: EntryRow,
  place: { parent: number; name: Uint8Array },
  seq: number,
  version: string | null,
  nowMs: number
): void {
  sql
    .prepare('INSERT INTO deleted VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
    .run([
      row.id,
      place.parent,
      place.name,
      row.kind,
      row.type,
      row.size,
      row.mtimeNs,
      row.birthNs,
      row.inode,
      row.device,
      row.content,
      seq,
      version,
      nowMs
    ])
}

/** Up to this seq entries that are gone may be missing: who followed no further cannot be told of all of them. */
export const droppedUpto = (sql: Sql): number => Number(getMeta(sql, DROPPED_UPTO) ?? 0)
const DROPPED_UPTO = 'dropped_upto'

/**
 * Drops, the oldest first, what is gone for KEEP_DELETED_MS and what every consumer has seen, and of more than MAX_DELETED
 * whatever is too much.
 * @param limit - tombstones looked at
 * @returns how many went
 */
export function dropDeleted(
  sql: Sql,
  { nowMs, limit, maxKept = MAX_DELETED }: { nowMs: number; limit: number; maxKept?: number }
): number {
  sql.prepare('DELETE FROM consumers WHERE seen_at < ?').run([nowMs - CONSUMER_LIFETIME_MS])
  const first = sql.prepare<{ seq: number | null }>('SELECT min(seq) AS seq FROM consumers').get()?.seq
  const passed = first ?? Number.MAX_SAFE_INTEGER
  const tooMany = sql.prepare<{ n: number }>('SELECT count(*) AS n FROM deleted').get()!.n - maxKept
  const namesSeen = namesGoneSeq(sql)
  const going = sql
    .prepare<{ id: number; seq: number; deleted_at: number }>(
      'SELECT id, seq, deleted_at FROM deleted WHERE seq <= ? ORDER BY seq LIMIT ?'
    )
    .all([namesSeen, limit])
    .filter(({ seq, deleted_at }, i) => i < tooMany || (seq <= passed && deleted_at < nowMs - KEEP_DELETED_MS))
  const drop = sql.prepare('DELETE FROM deleted WHERE id = ?')
  for (const { id } of going) drop.run([id])
  const last = going.at(-1)
  if (last !== undefined) setMeta(sql, DROPPED_UPTO, String(Math.max(droppedUpto(sql), last.seq)))
  return going.length
}

function deletedRowOf(raw: SqlValue[]): DeletedRow {
  return {
    id: Number(raw[0]),
    parent: Number(raw[1]),
    name: raw[2] as Uint8Array,
    kind: Number(raw[3]),
    size: Number(raw[4]),
    mtimeNs: raw[5] as bigint,
    birthNs: raw[6] as bigint,
    inode: raw[7] as bigint,
    device: raw[8] as bigint,
    content: raw[9] === null ? null : Number(raw[9]),
    seq: Number(raw[10]),
    version: raw[11] as string | null
  }
}
