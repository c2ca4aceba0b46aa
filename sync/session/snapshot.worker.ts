/** The snapshot of the two ends of a sync: written by `scan.ts` in its writer thread, read in tree order by the planner. */
import { type ContentHash, defineTasks, pathBytes, type RelPath, textFromBytes } from '../../storage/base/index.js'
import { hashFromBytes, hashToBytes } from '../../storage/content/index.js'
import type { EntryStat } from '../../storage/files/index.js'
import type { Sql, SqlValue } from '../../storage/sql/index.js'
import type { TreeEntry, UnknownReason } from '../endpoints/index.js'
import { ENDS, type End } from '../reconcile/index.js'
import type { KeptAttributes } from '../versions/index.js'
import { keyPath, keysBelow, pathKey } from './path-key.js'

export interface ScannedPage {
  readonly at: End
  readonly scan: number
  readonly entries: readonly TreeEntry[]
}

export interface HashedRow {
  readonly path: RelPath
  readonly hash: ContentHash
  /** The stat that belongs to it. */
  readonly stat: EntryStat
  readonly racy: boolean
}

/** What a batch made of a path. */
export interface PlacedRow {
  readonly path: RelPath
  readonly stat: EntryStat
  readonly hash?: ContentHash | undefined
  readonly target?: string | undefined
}

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
}

const KINDS = ['file', 'directory', 'symlink', 'unknown'] as const
const COLUMNS = 'path, kind, size, mtime, ctime, birth, inode, mode, hash, target, reason, directory'
const number = (at: End): number => ENDS.indexOf(at)
const unsigned = (inode: bigint): bigint => BigInt.asIntN(64, inode)

export const snapshotting = defineTasks(import.meta.url, {
  /** @returns the number of the scan that begins */
  begin(sql: Sql, { at }: { at: End }): number {
    sql.prepare('INSERT OR IGNORE INTO scans VALUES (?, 0, 0)').run([number(at)])
    sql.prepare('UPDATE scans SET begun = begun + 1 WHERE at = ?').run([number(at)])
    return sql.prepare<{ begun: number }>('SELECT begun FROM scans WHERE at = ?').get([number(at)])!.begun
  },

  /** What the walk met. A file whose stat is as it was keeps its hash. */
  record(sql: Sql, { at, scan, entries }: ScannedPage): void {
    const find = sql.prepare<never>(
      'SELECT size, mtime, ctime, inode, birth, hash, racy FROM seen WHERE at = ? AND path = ? AND kind = 0',
      { raw: true, bigint: true }
    )
    const write = sql.prepare(`INSERT OR REPLACE INTO seen (at, ${COLUMNS}, racy, scan) VALUES (${'?, '.repeat(14)}?)`)
    for (const entry of entries) {
      const key = pathKey(entry.path)
      const { stat } = entry
      const kind = entry.unknown !== undefined || stat.kind === 'other' ? 3 : KINDS.indexOf(stat.kind)
      const known = kind === 0 ? (find.get([number(at), key]) as SqlValue[] | undefined) : undefined
      const same =
        known !== undefined &&
        known[6] === 0n &&
        Number(known[0]) === stat.sizeBytes &&
        known[1] === stat.mtimeNs &&
        known[2] === stat.ctimeNs &&
        known[3] === unsigned(stat.inode) &&
        known[4] === stat.birthNs
      write.run([
        ...[number(at), key, kind, stat.sizeBytes, stat.mtimeNs, stat.ctimeNs, stat.birthNs, unsigned(stat.inode)],
        ...[stat.mode, same ? known[5]! : null, entry.target === undefined ? null : pathBytes(entry.target)],
        ...[kind === 3 ? (entry.unknown ?? 'special') : null, kind === 3 && stat.kind === 'directory' ? 1 : 0, 0, scan]
      ])
    }
  },

  /** Files without a hash that vouches, in tree order. */
  unhashed(sql: Sql, { at, after, limit }: { at: End; after: RelPath | undefined; limit: number }): RelPath[] {
    return sql
      .prepare<{ path: Uint8Array }>(
        'SELECT path FROM seen WHERE at = ? AND kind = 0 AND hash IS NULL AND path > ? ORDER BY path LIMIT ?'
      )
      .all([number(at), after === undefined ? new Uint8Array(0) : pathKey(after), limit])
      .map(({ path }) => keyPath(path))
  },

  /** Which of these the last scan saw at an end, or a batch of this run put there. */
  holds(sql: Sql, { at, paths }: { at: End; paths: readonly RelPath[] }): boolean[] {
    const find = sql.prepare('SELECT 1 FROM seen WHERE at = ? AND path = ?')
    return paths.map(path => find.get([number(at), pathKey(path)]) !== undefined)
  },

  /** Times and permission bits as they were seen, or set by a batch. */
  attributes(sql: Sql, { at, paths }: { at: End; paths: readonly RelPath[] }): (KeptAttributes | undefined)[] {
    const find = sql.prepare<{ mtime: bigint; mode: bigint }>(
      'SELECT mtime, mode FROM seen WHERE at = ? AND path = ?',
      {
        bigint: true
      }
    )
    return paths.map(path => {
      const row = find.get([number(at), pathKey(path)])
      return row && { kind: 'attributes', mtimeNs: row.mtime, mode: Number(row.mode) & 0o7777 }
    })
  },

  /** Ignore files at an end. */
  ignoreFiles(sql: Sql, { at, name, maxBytes }: { at: End; name: string; maxBytes: number }): RelPath[] {
    const bytes = Buffer.from(name)
    return sql
      .prepare<{ path: Uint8Array }>(
        'SELECT path FROM seen WHERE at = ? AND kind = 0 AND size <= ? AND (path = ? OR substr(path, ?) = ?) ORDER BY path'
      )
      .all([number(at), maxBytes, bytes, -(bytes.length + 1), Buffer.concat([Buffer.from([0]), bytes])])
      .map(({ path }) => keyPath(path))
  },

  /** Hashes of files that still have that very stat here. */
  hashed(sql: Sql, { at, rows }: { at: End; rows: readonly HashedRow[] }): void {
    const write = sql.prepare(
      `UPDATE seen SET hash = ?, racy = ?, size = ?, mtime = ?, ctime = ?, inode = ?, birth = ?, mode = ?
       WHERE at = ? AND path = ? AND kind = 0`
    )
    for (const { path, hash, stat, racy } of rows)
      write.run([
        ...[hashToBytes(hash), racy ? 1 : 0, stat.sizeBytes, stat.mtimeNs, stat.ctimeNs, unsigned(stat.inode)],
        ...[stat.birthNs, stat.mode, number(at), pathKey(path)]
      ])
  },

  /** Files that could not be read: unknown until the next scan. */
  unread(sql: Sql, { at, paths }: { at: End; paths: readonly RelPath[] }): void {
    const write = sql.prepare(`UPDATE seen SET kind = 3, reason = 'unreadable' WHERE at = ? AND path = ?`)
    for (const path of paths) write.run([number(at), pathKey(path)])
  },

  /** What the scan did not meet is gone. */
  end(sql: Sql, { at, scan }: { at: End; scan: number }): void {
    sql.prepare('DELETE FROM seen WHERE at = ? AND scan <> ?').run([number(at), scan])
    sql.prepare('UPDATE scans SET ended = ? WHERE at = ?').run([scan, number(at)])
  },

  /** What a batch changed at an end, so that nothing of it is read again. */
  placed(
    sql: Sql,
    {
      at,
      rows,
      moved,
      gone
    }: {
      at: End
      rows: readonly PlacedRow[]
      moved: readonly { readonly path: RelPath; readonly to: RelPath }[]
      gone: readonly RelPath[]
    }
  ): void {
    const end = number(at)
    for (const path of gone) sql.prepare('DELETE FROM seen WHERE at = ? AND path = ?').run([end, pathKey(path)])
    rename(sql, end, moved)
    // What was renamed, or got other times, has the content that it had.
    const find = sql.prepare<{ hash: Uint8Array | null; target: Uint8Array | null }>(
      'SELECT hash, target FROM seen WHERE at = ? AND path = ?'
    )
    const write = sql.prepare(
      `INSERT OR REPLACE INTO seen (at, ${COLUMNS}, racy, scan)
       VALUES (${'?, '.repeat(13)}0, (SELECT ended FROM scans WHERE at = ?))`
    )
    for (const { path, stat, hash, target } of rows) {
      const known = hash === undefined && target === undefined ? find.get([end, pathKey(path)]) : undefined
      write.run([
        ...[end, pathKey(path), KINDS.indexOf(stat.kind as 'file'), stat.sizeBytes, stat.mtimeNs, stat.ctimeNs],
        ...[stat.birthNs, unsigned(stat.inode), stat.mode],
        hash === undefined ? (known?.hash ?? null) : hashToBytes(hash),
        target === undefined ? (known?.target ?? null) : pathBytes(target),
        ...[null, 0, end]
      ])
    }
  }
})

/** All at once: names may swap. First everything steps aside (no path begins with 0x00), then takes its new name. */
function rename(sql: Sql, end: number, moved: readonly { readonly path: RelPath; readonly to: RelPath }[]): void {
  const change = sql.prepare(
    `UPDATE OR REPLACE seen SET path = CAST(? || substr(path, ?) AS BLOB)
     WHERE at = ? AND (path = ? OR (path >= ? AND path < ?))`
  )
  const put = (from: Uint8Array, to: Uint8Array): void =>
    void change.run([to, from.length + 1, end, from, ...keysBelow(from)])
  const aside = (i: number): Uint8Array => Buffer.concat([Buffer.from([0, 0]), Buffer.from(String(i))])
  const list = [...moved].sort((a, b) => b.path.length - a.path.length)
  for (const [i, { path }] of list.entries()) put(pathKey(path), aside(i))
  for (const [i, { to }] of list.entries()) put(aside(i), pathKey(to))
}

/** Read by pages: several readers may be under way on one connection. */
const PAGE = 1_000

/** Everything an end holds, in tree order. */
export function* readSeen(sql: Sql, at: End): Generator<SeenRow> {
  const page = sql.prepare<never>(`SELECT ${COLUMNS} FROM seen WHERE at = ? AND path > ? ORDER BY path LIMIT ${PAGE}`, {
    raw: true,
    bigint: true
  })
  for (let after = new Uint8Array(0); ; ) {
    const rows = page.all([number(at), after]) as SqlValue[][]
    for (const raw of rows) yield seenOf(raw)
    if (rows.length < PAGE) return
    after = rows.at(-1)![0] as Uint8Array<ArrayBuffer>
  }
}

export function findSeen(sql: Sql, at: End, path: RelPath): SeenRow | undefined {
  const raw = sql
    .prepare<never>(`SELECT ${COLUMNS} FROM seen WHERE at = ? AND path = ?`, { raw: true, bigint: true })
    .get([number(at), pathKey(path)]) as SqlValue[] | undefined
  return raw && seenOf(raw)
}

function seenOf(raw: readonly SqlValue[]): SeenRow {
  const key = raw[0] as Uint8Array
  return {
    ...{ key, path: keyPath(key), kind: KINDS[Number(raw[1])]! },
    ...{ sizeBytes: Number(raw[2]), mtimeNs: raw[3] as bigint, ctimeNs: raw[4] as bigint, birthNs: raw[5] as bigint },
    ...{ inode: BigInt.asUintN(64, raw[6] as bigint), mode: Number(raw[7]) },
    hash: raw[8] === null ? undefined : hashFromBytes(raw[8] as Uint8Array),
    target: raw[9] === null ? undefined : textFromBytes(raw[9] as Uint8Array),
    reason: raw[10] === null ? undefined : (raw[10] as UnknownReason),
    directory: raw[11] === 1n
  }
}
