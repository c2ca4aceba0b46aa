/** Rows of the snapshot: how they are kept and read. Runs in the writer thread and in workers. */
import { type ContentHash, pathBytes, type RelPath, textFromBytes } from '../../storage/base/index.js'
import { hashFromBytes, hashToBytes } from '../../storage/content/index.js'
import type { EntryStat } from '../../storage/files/index.js'
import { RowStatement, type Sql, type SqlValue } from '../../storage/sql/index.js'
import type { TreeEntry, UnknownReason } from '../endpoints/index.js'
import { ENDS, type End } from '../reconcile/index.js'
import { keysBelow, pathKey } from './path-key.js'
import { Renames } from './renames.js'

/** A thing as it was seen; `undefined` hash: it could not be read. */
export interface SeenRow {
  readonly key: Uint8Array
  readonly path: RelPath
  readonly kind: 'file' | 'directory' | 'symlink' | 'unknown'
  readonly sizeBytes: number
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
  readonly birthNs: bigint
  readonly inode: bigint
  readonly mode: number
  readonly hash: ContentHash | undefined
  readonly target: string | undefined
  readonly reason: UnknownReason | undefined
  readonly directory: boolean
  /** Its stat lies too near the reading to vouch for the hash, or it was renamed since. */
  readonly racy: boolean
}

const KINDS = ['file', 'directory', 'symlink', 'unknown'] as const
export const COLUMNS = 'path, kind, size, mtime, ctime, birth, inode, mode, hash, target, reason, directory, racy'
/** Read by pages: several readers may be under way on one connection. */
const PAGE = 1_000

export const endNumber = (at: End): number => ENDS.indexOf(at)
/** SQLite's integers have a sign. */
export const signed = (inode: bigint): bigint => BigInt.asIntN(64, inode)

/** What is written of a thing besides its path. */
export interface SeenValue {
  readonly kind: SeenRow['kind']
  readonly stat: Pick<EntryStat, 'sizeBytes' | 'mtimeNs' | 'ctimeNs' | 'birthNs' | 'inode' | 'mode'>
  readonly hash?: ContentHash | undefined
  readonly racy?: boolean | undefined
  readonly target?: string | undefined
  readonly reason?: UnknownReason | undefined
  readonly directory?: boolean | undefined
}

/** As a look told it; whoever knows the hash of a file adds it. */
export function seenValueOf({ stat, unknown, target }: TreeEntry): SeenValue {
  if (unknown === undefined && stat.kind !== 'other') return { kind: stat.kind, stat, target }
  return { kind: 'unknown', stat, reason: unknown ?? 'special', directory: stat.kind === 'directory' }
}

export const PUT_SEEN = new RowStatement(14, rows => `INSERT OR REPLACE INTO seen (at, ${COLUMNS}) VALUES ${rows}`)

/** Writes a thing at once. */
export function seenWriter(sql: Sql, at: End): (key: Uint8Array, value: SeenValue) => void {
  return (key, value) => PUT_SEEN.run(sql, seenRow(at, key, value))
}

/** A row for `PUT_SEEN`. */
export function seenRow(
  at: End,
  key: Uint8Array,
  { kind, stat, hash, racy = false, target, reason, directory = false }: SeenValue
): SqlValue[] {
  return [
    ...[endNumber(at), key, KINDS.indexOf(kind), stat.sizeBytes, stat.mtimeNs, stat.ctimeNs, stat.birthNs],
    ...[signed(stat.inode), stat.mode, hash === undefined ? null : hashToBytes(hash)],
    ...[target === undefined ? null : pathBytes(target), reason ?? null, directory ? 1 : 0, racy ? 1 : 0]
  ]
}

/** Columns of `SEEN_COLUMNS` as SQLite gives them, all that an end holds, in tree order. */
export function* rawSeen(sql: Sql, at: End): Generator<readonly SqlValue[]> {
  const page = sql.prepare<never>(`SELECT ${COLUMNS} FROM seen WHERE at = ? AND path > ? ORDER BY path LIMIT ${PAGE}`, {
    raw: true,
    bigint: true
  })
  for (let after = new Uint8Array(0); ; ) {
    const rows = page.all([endNumber(at), after]) as unknown as SqlValue[][]
    yield* rows
    if (rows.length < PAGE) return
    after = rows.at(-1)![0] as Uint8Array<ArrayBuffer>
  }
}

export interface KeyRange {
  readonly from: Uint8Array
  readonly to: Uint8Array
}

/** No path begins with 0xff: it is not UTF-8, and an odd byte is kept as it is, so two of them end every range. */
const EVERYTHING: KeyRange = { from: new Uint8Array(0), to: new Uint8Array(4097).fill(0xff) }

/** What lies below a path; '' is everything. */
export function rangeBelow(path: RelPath): KeyRange {
  if (path === '') return EVERYTHING
  const key = pathKey(path)
  return { from: key, to: keysBelow(key)[1] }
}

/** Keys of what lies below a path, at most `limit` of them. */
export function readKeys(sql: Sql, at: End, path: RelPath, limit = -1): Uint8Array[] {
  const { from, to } = rangeBelow(path)
  return sql
    .prepare<{ path: Uint8Array }>('SELECT path FROM seen WHERE at = ? AND path > ? AND path < ? LIMIT ?')
    .all([endNumber(at), from, to, limit])
    .map(row => row.path)
}

/** Forgets what an end has at and below a key. */
export function removeRows(sql: Sql, at: End, key: Uint8Array): void {
  sql.prepare('DELETE FROM seen WHERE at = ? AND path >= ? AND path < ?').run([endNumber(at), key, keysBelow(key)[1]])
}

/** Finds one row; asked for a path in a directory whose rows still bear its old name, it finds those. */
export function seenFinder(sql: Sql, at: End): (path: RelPath) => SeenRow | undefined {
  const find = sql.prepare<never>(`SELECT ${COLUMNS} FROM seen WHERE at = ? AND path = ?`, { raw: true, bigint: true })
  const renames = new Renames(sql, at)
  return path => {
    const key = renames.rowOf(pathKey(path))
    const raw = key && (find.get([endNumber(at), key]) as SqlValue[] | undefined)
    return raw && seenOf(raw, path)
  }
}

/** @param path - what it is called now: its row may still bear an old name */
export function seenOf(raw: readonly SqlValue[], path: RelPath): SeenRow {
  return {
    key: raw[0] as Uint8Array,
    path,
    kind: KINDS[Number(raw[1])]!,
    sizeBytes: Number(raw[2]),
    mtimeNs: raw[3] as bigint,
    ctimeNs: raw[4] as bigint,
    birthNs: raw[5] as bigint,
    inode: BigInt.asUintN(64, raw[6] as bigint),
    mode: Number(raw[7]),
    hash: raw[8] === null ? undefined : hashFromBytes(raw[8] as Uint8Array),
    target: raw[9] === null ? undefined : textFromBytes(raw[9] as Uint8Array),
    reason: raw[10] === null ? undefined : (raw[10] as UnknownReason),
    directory: raw[11] === 1n,
    racy: raw[12] === 1n
  }
}

/** The same thing with the same content, as far as a look can tell. */
export function isAsSeen(row: SeenRow, entry: TreeEntry): boolean {
  return hasStat(row, entry) && (row.kind !== 'file' || (row.hash !== undefined && !row.racy))
}

/** The same stat, whatever is known of the content. */
export function hasStat(row: SeenRow, { stat, unknown, target }: TreeEntry): boolean {
  const kind = unknown !== undefined || stat.kind === 'other' ? 'unknown' : stat.kind
  if (row.kind !== kind || row.inode !== stat.inode || row.birthNs !== stat.birthNs || row.mode !== stat.mode)
    return false
  if (kind === 'unknown') return row.reason === (unknown ?? 'special') && row.directory === (stat.kind === 'directory')
  if (row.mtimeNs !== stat.mtimeNs || row.ctimeNs !== stat.ctimeNs) return false
  if (kind === 'symlink') return row.target === target
  return kind === 'directory' || row.sizeBytes === stat.sizeBytes
}

/** Alike in what a plan looks at: of a directory neither time matters, nor what of an unknown thing it is. */
export function isAlikeToPlan(row: SeenRow, entry: TreeEntry): boolean {
  const { kind, stat, reason, directory = false } = seenValueOf(entry)
  if (row.kind !== kind) return false
  if (kind === 'unknown') return row.reason === reason && row.directory === directory
  const same = row.inode === stat.inode && row.birthNs === stat.birthNs && row.mode === stat.mode
  return same && kind === 'directory'
}
