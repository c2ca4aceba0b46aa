import { type ContentHash, type FileName, textFromBytes } from '../base/index.js'
import type { Sql, SqlValue } from '../sql/index.js'
import { ENTRY_KINDS, type EntryKind, FLAG, KIND } from './flags.js'
import { DISPLACED } from './lookup.js'
import { columnsOf, rowOf } from './row.js'

/** A row as whoever goes through a tree of the index needs it. */
export interface TreeRow {
  readonly id: number
  readonly name: FileName
  /** The same as the database orders it by. */
  readonly nameBytes: Uint8Array
  readonly kind: EntryKind
  readonly sizeBytes: number
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
  readonly birthNs: bigint
  readonly inode: bigint
  readonly device: bigint
  readonly mode: number
  /** Bits of FLAG. */
  readonly flags: number
  /** Of its content as it is now, as far as its stat can tell: neither STALE nor RACY. */
  readonly hash: ContentHash | undefined
}

/** How a directory was last listed, and how its own row looks now. */
export interface ScanRecord {
  /** When the last whole listing began; 0: never. */
  readonly scannedAtMs: number
  /** Its times before that listing. */
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
  readonly complete: boolean
  /** As its row has it: what the watcher told since is in it. */
  readonly row: Pick<TreeRow, 'kind' | 'mtimeNs' | 'ctimeNs' | 'inode' | 'birthNs'>
}

/** A listing that began so shortly after the directory's last change may miss a further one with the same time. */
export const LISTING_REST_NS = 1_000_000_000n

/** Whether a listing that began at `atMs` proves what is in a directory whose last change was at `mtimeNs`. */
export const restedSince = (mtimeNs: bigint, atMs: number, coarseNs = 0n): boolean =>
  BigInt(atMs) * 1_000_000n - mtimeNs > LISTING_REST_NS + coarseNs

/** What lies below an entry in all; a file is one file. */
export interface TreeSums {
  readonly files: number
  readonly directories: number
  readonly bytes: number
}

/** Rows right below a directory, names in byte order, those after `after`. */
export function childrenAfter(sql: Sql, parent: number, after: Uint8Array | undefined, limit: number): TreeRow[] {
  return (
    sql
      .prepare<never>(
        `SELECT ${columnsOf('e')}, c.hash FROM entries e LEFT JOIN contents c ON c.id = e.content
         WHERE e.parent = ? AND e.name > ? ORDER BY e.name LIMIT ?`,
        { raw: true, bigint: true }
      )
      .all([parent, after ?? NOTHING, limit]) as SqlValue[][]
  ).map(treeRowOf)
}

export function treeRow(sql: Sql, id: number): TreeRow | undefined {
  const raw = sql
    .prepare<never>(
      `SELECT ${columnsOf('e')}, c.hash FROM entries e LEFT JOIN contents c ON c.id = e.content WHERE e.id = ?`,
      { raw: true, bigint: true }
    )
    .get([id]) as SqlValue[] | undefined
  return raw === undefined ? undefined : treeRowOf(raw)
}

/** undefined: not in the index, or no directory. */
export function scanRecord(sql: Sql, id: number): ScanRecord | undefined {
  const raw = sql
    .prepare<never>(
      `SELECT d.scanned_at, d.mtime_ns, d.ctime_ns, d.complete, e.mtime_ns, e.ctime_ns, e.inode, e.birth_ns
       FROM directories d JOIN entries e ON e.id = d.id WHERE d.id = ?`,
      { raw: true, bigint: true }
    )
    .get([id]) as readonly bigint[] | undefined
  return raw === undefined ? undefined : recordOf(raw)
}

/** Directories right below one, in byte order of their names. Those that were never entered are among them. */
export function directoriesBelow(
  sql: Sql,
  parent: number
): { id: number; name: FileName; flags: number; record: ScanRecord }[] {
  const rows = sql
    .prepare<never>(
      `SELECT d.scanned_at, d.mtime_ns, d.ctime_ns, d.complete, e.mtime_ns, e.ctime_ns, e.inode, e.birth_ns,
         d.id, e.name, e.flags
       FROM directories d JOIN entries e ON e.id = d.id WHERE d.parent = ? ORDER BY e.name`,
      { raw: true, bigint: true }
    )
    .all([parent]) as SqlValue[][]
  return rows.map(raw => ({
    id: Number(raw[8]),
    name: textFromBytes(raw[9] as Uint8Array) as FileName,
    flags: Number(raw[10]),
    record: recordOf(raw as bigint[])
  }))
}

/** undefined: not in the index. */
export function sumsOf(sql: Sql, id: number): TreeSums | undefined {
  const row = sql
    .prepare<{ kind: number; size: number; files: number | null; dirs: number | null; bytes: number | null }>(
      'SELECT e.kind, e.size, d.files, d.dirs, d.bytes FROM entries e LEFT JOIN directories d ON d.id = e.id WHERE e.id = ?'
    )
    .get([id])
  if (row === undefined) return undefined
  if (row.kind !== KIND.DIRECTORY) return { files: 1, directories: 0, bytes: row.kind === KIND.FILE ? row.size : 0 }
  return { files: row.files ?? 0, directories: row.dirs ?? 0, bytes: row.bytes ?? 0 }
}

/** Entries that held this content when last looked at, newest ids last. */
export function rowsWithContent(sql: Sql, hash: ContentHash, limit: number): TreeRow[] {
  return (
    sql
      .prepare<never>(
        `SELECT ${columnsOf('e')}, c.hash FROM contents c JOIN entries e ON e.content = c.id
         WHERE c.hash = ? AND e.kind = ${KIND.FILE} AND e.parent > ${DISPLACED} ORDER BY e.id LIMIT ?`,
        { raw: true, bigint: true }
      )
      .all([Buffer.from(hash, 'hex'), limit]) as SqlValue[][]
  ).map(treeRowOf)
}

/** Sorts before every name. */
const NOTHING = new Uint8Array(0)
/** The content is not known, or the stat cannot vouch for it. */
const NO_HASH = FLAG.STALE | FLAG.RACY | FLAG.UNREADABLE | FLAG.STATLESS

function treeRowOf(raw: readonly SqlValue[]): TreeRow {
  const row = rowOf(raw)
  const hash = raw[16] as Uint8Array | null
  const { id, mtimeNs, ctimeNs, birthNs, inode, device, flags } = row
  return {
    ...{ id, mtimeNs, ctimeNs, birthNs, inode, device, flags },
    name: textFromBytes(row.name) as FileName,
    nameBytes: row.name,
    kind: ENTRY_KINDS[row.kind] ?? 'other',
    sizeBytes: row.size,
    mode: row.mode & 0o7777,
    hash: hash === null || (row.flags & NO_HASH) !== 0 ? undefined : (Buffer.from(hash).toString('hex') as ContentHash)
  }
}

function recordOf(raw: readonly bigint[]): ScanRecord {
  return {
    scannedAtMs: Number(raw[0]),
    mtimeNs: raw[1]!,
    ctimeNs: raw[2]!,
    complete: raw[3] === 1n,
    row: { kind: 'directory', mtimeNs: raw[4]!, ctimeNs: raw[5]!, inode: raw[6]!, birthNs: raw[7]! }
  }
}
