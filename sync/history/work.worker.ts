/**
 * The work of bringing an end to an earlier state, in a database of its own (schema `snapshot`, plus the tables below): what the
 * end shall be (`seen` at THEN), what it is (at TARGET), and the tree whose lines are undone (at BASE, where that is another one).
 * Beside it lies an archive as if both had agreed on what the target is now: then reconcile plans the way from one to the other.
 */
import { type ContentHash, defineTasks, type RelPath } from '../../storage/base/index.js'
import { hashFromBytes, hashToBytes } from '../../storage/content/index.js'
import type { Sql } from '../../storage/sql/index.js'
import type { End } from '../reconcile/index.js'
import { keyPath, keysBelow, pathKey } from '../session/index.js'
import { parseLine, TreeThen } from '../versions/index.js'
import { STAT, TARGET, THEN, ThenRows, treeNow } from './then-rows.js'

/** The only sync in its archive. */
export const WORK_SYNC = 1

export interface BuildInit {
  /** Where today's tree is: TARGET or BASE. */
  readonly base: number
  /** It is that of the target: what was moved is found again by its inode. */
  readonly same: boolean
  /** What of it; and the name it gets in the target. */
  readonly path: RelPath
  readonly as: RelPath
}

/** Where content of an entry lies today: in the base under `now`, or in one of the stores. */
export interface Origin {
  readonly now?: RelPath | undefined
  readonly hash?: ContentHash | undefined
  readonly store?: number | undefined
}

export const working = defineTasks(import.meta.url, {
  /** Outside of a transaction. */
  prepare(sql: Sql, { archiveFile }: { archiveFile: string }): void {
    sql.prepare('ATTACH ? AS base').run([archiveFile])
    sql.exec(
      `CREATE TABLE base.sync_archive (
         sync INTEGER NOT NULL, path BLOB NOT NULL, kind INTEGER NOT NULL, hash BLOB, size INTEGER, target BLOB,
         s_mtime INTEGER NOT NULL, s_mode INTEGER NOT NULL, s_inode INTEGER, s_birth INTEGER,
         d_mtime INTEGER NOT NULL, d_mode INTEGER NOT NULL, d_inode INTEGER, d_birth INTEGER, kept_at INTEGER,
         PRIMARY KEY (sync, path)) STRICT, WITHOUT ROWID;
       CREATE TABLE base.sync_unsettled (
         sync INTEGER NOT NULL, path BLOB NOT NULL, why TEXT NOT NULL, PRIMARY KEY (sync, path)) STRICT, WITHOUT ROWID;
       CREATE TABLE base.syncs (id INTEGER PRIMARY KEY, batch INTEGER) STRICT;
       CREATE TABLE lines (n INTEGER PRIMARY KEY, value TEXT NOT NULL) STRICT;
       CREATE TABLE origins (path BLOB PRIMARY KEY, now BLOB NOT NULL) STRICT, WITHOUT ROWID;
       CREATE TABLE kept (hash BLOB PRIMARY KEY, store INTEGER NOT NULL) STRICT, WITHOUT ROWID;
       CREATE TABLE affected (path BLOB PRIMARY KEY) STRICT, WITHOUT ROWID`
    )
  },

  /** What the last scan saw of an end, or of one path there with all below and above it. Outside of a transaction. */
  copyEnd(
    sql: Sql,
    { snapshotFile, from, at, path }: { snapshotFile: string; from: End; at: number; path: RelPath }
  ): void {
    sql.prepare('ATTACH ? AS snap').run([snapshotFile])
    try {
      const number = from === 'source' ? 0 : 1
      const some = path === '' ? '' : 'AND (path = ? OR (path >= ? AND path < ?))'
      const key = pathKey(path)
      sql
        .prepare(`INSERT INTO seen (at, path, ${STAT}) SELECT ?, path, ${STAT} FROM snap.seen WHERE at = ? ${some}`)
        .run([at, number, ...(path === '' ? [] : [key, ...keysBelow(key)])])
      const one = sql.prepare(
        `INSERT INTO seen (at, path, ${STAT}) SELECT ?, path, ${STAT} FROM snap.seen WHERE at = ? AND path = ?`
      )
      for (const above of foldersOf(path)) one.run([at, number, pathKey(above)])
    } finally {
      sql.exec('DETACH snap')
    }
  },

  /** For another moment. */
  clear(sql: Sql): void {
    for (const table of ['seen', 'lines', 'origins', 'kept', 'affected', 'base.sync_archive'])
      sql.exec(`DELETE FROM ${table}`)
  },

  /** Newest first, a page a call. */
  addLines(sql: Sql, { texts }: { texts: readonly string[] }): void {
    const insert = sql.prepare('INSERT INTO lines (value) VALUES (?)')
    for (const text of texts) insert.run([text])
  },

  /** @returns how many entries there were; undefined when a folder of the target that must hold them is none */
  buildThen(sql: Sql, { base, same, path, as }: BuildInit): { entries: number; blockedBy?: RelPath } {
    const then = new TreeThen()
    for (const { value } of sql.prepare<{ value: string }>('SELECT value FROM lines ORDER BY n').all()) {
      const line = parseLine(value)
      if (line !== undefined) then.undo(line)
    }
    const rows = new ThenRows(sql, base, same)
    const today = treeNow(sql, base)
    for (const above of foldersOf(as)) {
      const there = kindAt(sql, TARGET, above)
      if (there !== undefined && there !== 1) return { entries: 0, blockedBy: above }
      if (there === 1) rows.copy(TARGET, above, above)
      else {
        const [folder] = then.entries(above, today)
        if (folder !== undefined) rows.put(above, folder.was)
      }
    }
    let entries = 0
    for (const { path: at, was, now, whole } of then.entries(path, today)) {
      const to = (as + at.slice(path.length)).replace(/^\//, '') as RelPath
      entries++
      if (now === undefined) rows.put(to, was)
      else rows.take(to, now, was)
      if (whole === true && now !== undefined) entries += rows.takeBelow(to, now)
    }
    return { entries }
  },

  /**
   * What is at the target already, of an attempt before perhaps, stays: what is alike needs nothing, and of what is otherwise there
   * nothing is touched. @returns the first paths that are otherwise there, and how many
   */
  keepThere(sql: Sql, { limit }: { limit: number }): { paths: RelPath[]; count: number } {
    const other = sql
      .prepare<{ path: Uint8Array; kind: number }>(
        `SELECT t.path path, t.kind kind FROM seen t JOIN seen s ON s.at = ${THEN} AND s.path = t.path
         WHERE t.at = ${TARGET} AND NOT (t.kind = s.kind AND t.hash IS s.hash AND t.target IS s.target)`
      )
      .all()
    const below = sql.prepare(`DELETE FROM seen WHERE at = ${THEN} AND path >= ? AND path < ?`)
    for (const { path, kind } of other) if (kind !== 1) below.run(keysBelow(path))
    sql.exec(
      `DELETE FROM seen WHERE at = ${THEN} AND path IN (
         SELECT t.path FROM seen t JOIN seen s ON s.at = ${THEN} AND s.path = t.path
         WHERE t.at = ${TARGET} AND NOT (t.kind = s.kind AND t.hash IS s.hash AND t.target IS s.target));
       INSERT INTO seen (at, path, ${STAT}) SELECT ${THEN}, path, ${STAT} FROM seen t
         WHERE at = ${TARGET} AND NOT EXISTS (SELECT 1 FROM seen s WHERE s.at = ${THEN} AND s.path = t.path)`
    )
    return { paths: other.slice(0, limit).map(({ path }) => keyPath(path)), count: other.length }
  },

  /** As if both ends agreed on what the target is. @param proves - inode and birth time prove a move there */
  agree(sql: Sql, { same, proves }: { same: boolean; proves: boolean }): void {
    const [inode, birth] = ['CASE WHEN birth <> 0 THEN inode END', 'CASE WHEN birth <> 0 THEN birth END']
    const none = 'NULL, NULL'
    sql.exec(
      `INSERT INTO base.sync_archive SELECT ${WORK_SYNC}, path, kind, hash, size, target,
         mtime, mode & 4095, ${same && proves ? `${inode}, ${birth}` : none},
         mtime, mode & 4095, ${proves ? `${inode}, ${birth}` : none}, NULL
       FROM seen WHERE at = ${TARGET} AND kind < 3 AND (kind <> 0 OR hash IS NOT NULL)`
    )
  },

  /** Contents that must come out of a store, in their order. */
  needed(sql: Sql, { after, limit }: { after: ContentHash | undefined; limit: number }): ContentHash[] {
    return sql
      .prepare<{ hash: Uint8Array }>(`SELECT DISTINCT s.hash hash ${NEEDED} AND s.hash > ? ORDER BY s.hash LIMIT ?`)
      .all([after === undefined ? new Uint8Array(0) : hashToBytes(after), limit])
      .map(({ hash }) => hashFromBytes(hash))
  },

  keptIn(sql: Sql, { store, hashes }: { store: number; hashes: readonly ContentHash[] }): void {
    const insert = sql.prepare('INSERT OR IGNORE INTO kept VALUES (?, ?)')
    for (const hash of hashes) insert.run([hashToBytes(hash), store])
  },

  /** What no store has any more stays as it is in the target. @returns the first such paths, and how many they are */
  leaveMissing(sql: Sql, { limit }: { limit: number }): { paths: RelPath[]; count: number } {
    const paths = sql
      .prepare<{ path: Uint8Array }>(
        `SELECT s.path path ${NEEDED} AND s.hash NOT IN (SELECT hash FROM kept) ORDER BY s.path`
      )
      .all()
      .map(({ path }) => path)
    const leave = sql.prepare(
      `UPDATE seen SET kind = 3, reason = 'unreadable', hash = NULL WHERE at = ${THEN} AND path = ?`
    )
    for (const path of paths) leave.run([path])
    return { paths: paths.slice(0, limit).map(keyPath), count: paths.length }
  },

  origins(sql: Sql, { paths }: { paths: readonly RelPath[] }): Origin[] {
    const find = sql.prepare<{ now: Uint8Array | null; hash: Uint8Array | null; store: number | null }>(
      `SELECT o.now now, s.hash hash, k.store store FROM seen s LEFT JOIN origins o ON o.path = s.path
       LEFT JOIN kept k ON k.hash = s.hash WHERE s.at = ${THEN} AND s.path = ?`
    )
    return paths.map(path => {
      const row = find.get([pathKey(path)])
      if (row === undefined) return {}
      return {
        now: row.now === null ? undefined : keyPath(row.now),
        hash: row.hash === null ? undefined : hashFromBytes(row.hash),
        store: row.store ?? undefined
      }
    })
  },

  /** Which of these there were then. */
  holds(sql: Sql, { paths }: { paths: readonly RelPath[] }): boolean[] {
    return paths.map(path => kindAt(sql, THEN, path) !== undefined)
  }
})

const NEEDED = `FROM seen s LEFT JOIN origins o ON o.path = s.path
  LEFT JOIN seen t ON t.at = ${TARGET} AND t.path = s.path AND t.kind = 0 AND t.hash = s.hash
  WHERE s.at = ${THEN} AND s.kind = 0 AND s.hash IS NOT NULL AND o.path IS NULL AND t.path IS NULL`

function kindAt(sql: Sql, at: number, path: RelPath): number | undefined {
  return sql.prepare<{ kind: number }>('SELECT kind FROM seen WHERE at = ? AND path = ?').get([at, pathKey(path)])?.kind
}

/** The folders above a path, from the top. */
export function foldersOf(path: RelPath): RelPath[] {
  const parts = path.split('/').slice(0, -1)
  return parts.map((_, i) => parts.slice(0, i + 1).join('/') as RelPath)
}
