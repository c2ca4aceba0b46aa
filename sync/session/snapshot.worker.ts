/** The snapshot of the two ends of a sync: written in its writer thread, read in tree order by the planner. */
import { defineTasks, type Problem, type RelPath } from '../../storage/base/index.js'
import type { Sql, SqlValue } from '../../storage/sql/index.js'
import type { ContentColumns, EntryColumns, TreeEntry } from '../endpoints/index.js'
import { ENDS, type End } from '../reconcile/index.js'
import type { KeptAttributes } from '../versions/index.js'
import { Beside } from './beside.js'
import { applyHints, type HintsInput, type HintsOutcome, movedFrom } from './hints.js'
import { keyPath, pathKey } from './path-key.js'
import { moveRows, type Rename, settleRenames } from './renames.js'
import { endNumber, PUT_SEEN, seenFinder, seenRow, seenValueOf } from './seen.js'
import { keysOf, putEntries, putHashes, putMade } from './seen-columns.js'
import { isCompared, Touched } from './touched.js'
import { forgetRead, noteUnread } from './unread.js'

export interface ChangedPage {
  readonly at: End
  readonly changed: EntryColumns
  /** Which of them mean nothing to a plan. */
  readonly quiet: readonly number[]
}

export interface WalkedFar {
  readonly at: End
  readonly path: RelPath
  readonly after: RelPath | undefined
  readonly entries: readonly TreeEntry[]
  readonly statsOnly?: boolean | undefined
}

/** The path as it is inside the program; the one of the problem is shown. */
export interface UnreadFile {
  readonly path: RelPath
  readonly problem: Problem
}

export interface Placed {
  readonly at: End
  /** What a batch made of paths. */
  readonly rows: ContentColumns
  readonly moved: readonly Rename[]
  readonly gone: readonly RelPath[]
}

export const snapshotting = defineTasks(import.meta.url, {
  /** What a walk met otherwise than it was. A file among it has no hash until it is read again. */
  changed(sql: Sql, { at, changed, quiet }: ChangedPage): void {
    const keys = keysOf(changed)
    putEntries(sql, at, changed, keys)
    const unread = noteUnread(sql, at)
    for (const { index, problem } of changed.extras) if (problem !== undefined) unread(keyPath(keys[index]!), problem)
    const silent = new Set(quiet)
    new Touched(sql).addAll(keys.filter((_, i) => !silent.has(i)))
  },

  /** What a walk did not meet. */
  gone(sql: Sql, { at, paths }: { at: End; paths: readonly RelPath[] }): void {
    remove(sql, at, paths)
  },

  /** The same in one, for a walk that came over a wire: `after` it the rows of this page begin. */
  walked(sql: Sql, { at, path, after, entries, statsOnly }: WalkedFar): void {
    const beside = new Beside(sql, at, path, { after, statsOnly })
    const unread = noteUnread(sql, at)
    const touched = new Touched(sql)
    for (const { changed, quiet, gone } of entries.length === 0 ? beside.rest() : beside.next(entries)) {
      const values: SqlValue[] = []
      for (const [i, entry] of changed.entries()) {
        const key = pathKey(entry.path)
        values.push(...seenRow(at, key, seenValueOf(entry)))
        if (entry.problem !== undefined) unread(entry.path, entry.problem)
        if (!quiet.includes(i)) touched.add(key)
      }
      PUT_SEEN.run(sql, values)
      remove(sql, at, gone)
    }
  },

  /** Directories of an end that bore another name, by inode and birth time, wherever they were. */
  movedFrom,

  /** What looks at single paths told. */
  hinted(sql: Sql, input: HintsInput): HintsOutcome {
    return applyHints(sql, input)
  },

  /** Files without a hash that vouches, in tree order. */
  unhashed(sql: Sql, { at, after, limit }: { at: End; after: RelPath | undefined; limit: number }): RelPath[] {
    return sql
      .prepare<{ path: Uint8Array }>(
        'SELECT path FROM seen WHERE at = ? AND kind = 0 AND hash IS NULL AND path > ? ORDER BY path LIMIT ?'
      )
      .all([endNumber(at), after === undefined ? new Uint8Array(0) : pathKey(after), limit])
      .map(({ path }) => keyPath(path))
  },

  /** Which of these the last scan saw at an end, or a batch of this run put there. */
  holds(sql: Sql, { at, paths }: { at: End; paths: readonly RelPath[] }): boolean[] {
    const find = seenFinder(sql, at)
    return paths.map(path => find(path) !== undefined)
  },

  /** Times and permission bits as they were seen, or set by a batch. */
  attributes(sql: Sql, { at, paths }: { at: End; paths: readonly RelPath[] }): (KeptAttributes | undefined)[] {
    const find = seenFinder(sql, at)
    return paths.map(path => {
      const row = find(path)
      return row && { kind: 'attributes', mtimeNs: row.mtimeNs, mode: row.mode & 0o7777 }
    })
  },

  /** Ignore files at an end. */
  ignoreFiles(sql: Sql, { at, name, maxBytes }: { at: End; name: string; maxBytes: number }): RelPath[] {
    const bytes = Buffer.from(name)
    return sql
      .prepare<{ path: Uint8Array }>(
        'SELECT path FROM seen WHERE at = ? AND kind = 0 AND size <= ? AND (path = ? OR substr(path, ?) = ?) ORDER BY path'
      )
      .all([endNumber(at), maxBytes, bytes, -(bytes.length + 1), Buffer.concat([Buffer.from([0]), bytes])])
      .map(({ path }) => keyPath(path))
  },

  /** Hashes of files that still have that very stat here. */
  hashed(sql: Sql, { at, rows }: { at: End; rows: ContentColumns }): void {
    putHashes(sql, at, rows, keysOf(rows.entries))
  },

  /** Files that could not be read: unknown until the next scan. */
  unread(sql: Sql, { at, files }: { at: End; files: readonly UnreadFile[] }): void {
    const write = sql.prepare(`UPDATE seen SET kind = 3, reason = 'unreadable' WHERE at = ? AND path = ?`)
    const note = noteUnread(sql, at)
    for (const { path, problem } of files) {
      write.run([endNumber(at), pathKey(path)])
      note(path, problem)
    }
  },

  /** What one batch changed at an end, so that nothing of it is read again. */
  placed(sql: Sql, { at, rows, moved, gone }: Placed): void {
    remove(sql, at, gone)
    // What is refused as a whole was not begun there, perhaps.
    if (rows.entries.count + moved.length + gone.length > 0)
      sql.prepare('UPDATE followed SET placed = placed + 1 WHERE at = ?').run([endNumber(at)])
    const touched = new Touched(sql)
    for (const { path, to } of moved) touched.add(pathKey(path), pathKey(to))
    if (moved.length > 0)
      moveRows(
        sql,
        at,
        moved.map(({ path, to }) => [pathKey(path), pathKey(to)])
      )
    const keys = keysOf(rows.entries)
    const find = seenFinder(sql, at)
    putMade(sql, at, rows, keys, key => find(keyPath(key)))
    touched.addAll(keys)
  },

  /** Before a run changes anything: what it leaves when it is cut off, the next one compares whole. */
  begin(sql: Sql): void {
    sql.exec('DELETE FROM compared')
  },

  /** Rows of directories that were found under another name come under that name. */
  settleRenames,

  /** Whether only what was touched since needs to be compared, should the basis be the same. */
  isCompared,

  /** A run came to its end: up to there it has seen the versions of both ends. */
  vectorsKnown(sql: Sql, known: Readonly<Record<End, { replica: string; upto: number }>>): void {
    const write = sql.prepare('INSERT OR REPLACE INTO vectors_known VALUES (?, ?, ?)')
    for (const end of ENDS) write.run([endNumber(end), known[end].replica, known[end].upto])
  },

  /** A run came to its end: everything is compared but what stayed as it was for it. */
  compared(sql: Sql, { basis, odd }: { basis: string; odd: readonly RelPath[] }): void {
    settleRenames(sql)
    forgetRead(sql)
    sql.exec('DELETE FROM touched; DELETE FROM odd')
    const insert = sql.prepare('INSERT OR IGNORE INTO odd VALUES (?)')
    for (const path of odd) insert.run([pathKey(path)])
    sql.prepare('INSERT OR REPLACE INTO compared VALUES (1, ?)').run([basis])
  }
})

function remove(sql: Sql, at: End, paths: readonly RelPath[]): void {
  const touched = new Touched(sql)
  const write = sql.prepare('DELETE FROM seen WHERE at = ? AND path = ?')
  for (const path of paths) {
    const key = pathKey(path)
    touched.add(key)
    write.run([ENDS.indexOf(at), key])
  }
}
