import { type ContentHash, type FileName, textFromBytes } from '../base/index.js'
import type { Sql, SqlValue } from '../sql/index.js'
import { FLAG, KIND } from './flags.js'
import { DISPLACED } from './lookup.js'

/** A row as whoever goes through a tree of the index needs it. */
export interface TreeRow {
  readonly id: number
  /** As the database orders it. */
  readonly nameBytes: Uint8Array
  /** Position in ENTRY_KINDS. */
  readonly kind: number
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
  readonly row: Pick<TreeRow, 'mtimeNs' | 'ctimeNs' | 'inode' | 'birthNs'>
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

const FIELDS = 'e.id, e.name, e.kind, e.size, e.mtime_ns, e.ctime_ns, e.birth_ns, e.inode, e.device, e.mode, e.flags'
const BARE = `SELECT ${FIELDS}, NULL FROM entries e`
const HASHED = `SELECT ${FIELDS}, c.hash FROM entries e LEFT JOIN contents c ON c.id = e.content`

/** Rows right below a directory, names in byte order, those after `after`. @param hashes - without them `hash` is undefined */
export function childrenAfter(
  sql: Sql,
  parent: number,
  after: Uint8Array | undefined,
  { limit, hashes }: { limit: number; hashes: boolean }
): TreeRow[] {
  const text = `${hashes ? HASHED : BARE} WHERE e.parent = ? AND e.name > ? ORDER BY e.name LIMIT ?`
  const rows = sql.prepare<never>(text, RAW).all([parent, after ?? NOTHING, limit]) as SqlValue[][]
  return rows.map(treeRowOf)
}

export function treeRow(sql: Sql, id: number): TreeRow | undefined {
  const raw = sql.prepare<never>(`${HASHED} WHERE e.id = ?`, RAW).get([id]) as SqlValue[] | undefined
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

/** Entries that held this content when last looked at, in the order of their ids. */
export function rowsWithContent(sql: Sql, hash: ContentHash, limit: number): TreeRow[] {
  const rows = sql
    .prepare<never>(
      `SELECT ${FIELDS}, c.hash FROM contents c JOIN entries e ON e.content = c.id
       WHERE c.hash = ? AND e.kind = ${KIND.FILE} AND e.parent > ${DISPLACED} ORDER BY e.id LIMIT ?`,
      RAW
    )
    .all([Buffer.from(hash, 'hex'), limit]) as SqlValue[][]
  return rows.map(treeRowOf)
}

const RAW = { raw: true, bigint: true }
/** Sorts before every name. */
const NOTHING = new Uint8Array(0)
/** The content is not known, or the stat cannot vouch for it. */
const NO_HASH = FLAG.STALE | FLAG.RACY | FLAG.UNREADABLE | FLAG.STATLESS

function treeRowOf(raw: readonly SqlValue[]): TreeRow {
  const flags = Number(raw[10])
  const hash = raw[11] as Uint8Array | null
  return {
    id: Number(raw[0]),
    nameBytes: raw[1] as Uint8Array,
    kind: Number(raw[2]),
    sizeBytes: Number(raw[3]),
    mtimeNs: raw[4] as bigint,
    ctimeNs: raw[5] as bigint,
    birthNs: raw[6] as bigint,
    inode: raw[7] as bigint,
    device: raw[8] as bigint,
    mode: Number(raw[9]) & 0o7777,
    flags,
    hash: hash === null || (flags & NO_HASH) !== 0 ? undefined : (Buffer.from(hash).toString('hex') as ContentHash)
  }
}

function recordOf(raw: readonly bigint[]): ScanRecord {
  return {
    scannedAtMs: Number(raw[0]),
    mtimeNs: raw[1]!,
    ctimeNs: raw[2]!,
    complete: raw[3] === 1n,
    row: { mtimeNs: raw[4]!, ctimeNs: raw[5]!, inode: raw[6]!, birthNs: raw[7]! }
  }
}
