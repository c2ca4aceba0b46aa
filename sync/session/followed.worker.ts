/** What the device of an end told of changes there, written into the snapshot of who drives (`EndpointSync.follow`). */
import { defineTasks, isWithin, type RelPath, ROOT } from '../../storage/base/index.js'
import type { Sql } from '../../storage/sql/index.js'
import type { FollowedEntry, FollowedMove } from '../endpoints/index.js'
import type { End } from '../reconcile/index.js'
import { renameAlone, renameLater } from './followed-rename.js'
import type { Hint } from './hints.js'
import { keyPath, pathKey } from './path-key.js'
import { aside, rowMover } from './renames.js'
import {
  endNumber,
  hasStat,
  isAlikeToPlan,
  removeRows,
  type SeenRow,
  seenFinder,
  seenValueOf,
  seenWriter
} from './seen.js'
import { Touched } from './touched.js'
import { noteUnread } from './unread.js'

export interface FollowedChanges {
  readonly at: End
  readonly moves: readonly FollowedMove[]
  readonly entries: readonly FollowedEntry[]
  readonly gone: readonly RelPath[]
  /** These are the last ones of an answer: from now on everything up to it is here. */
  readonly mark?: string | undefined
}

export const following = defineTasks(import.meta.url, {
  /** Until all of an answer is here there is nothing to go on from. */
  begin(sql: Sql, { at }: { at: End }): void {
    sql.prepare('DELETE FROM followed WHERE at = ?').run([endNumber(at)])
  },

  /** @returns false, having done nothing: what it speaks of is not what is here, and everything has to be asked for */
  changed(sql: Sql, told: FollowedChanges): boolean {
    const { at, moves, entries, gone, mark } = told
    const alone = renameAlone(sql, told)
    if (alone !== undefined) {
      new Touched(sql).add(pathKey(alone.path), pathKey(alone.to))
      renameLater(sql, at, alone)
    }
    const changes = new Changes(sql, at)
    if (alone === undefined) {
      if (!changes.fit(moves)) return false
      changes.move(moves)
    }
    for (const entry of entries) changes.put(entry)
    if (alone === undefined) for (const path of gone) changes.remove(pathKey(path))
    if (mark !== undefined) keepMark(sql, at, mark)
    else sql.prepare('DELETE FROM followed WHERE at = ?').run([endNumber(at)])
    return true
  },

  /** All there is was told. @param input.atMs - the time that it is */
  end(sql: Sql, { at, mark, atMs }: { at: End; mark: string; atMs: number | undefined }): void {
    keepMark(sql, at, mark)
    if (atMs !== undefined)
      sql.prepare('INSERT OR REPLACE INTO told_whole (at, at_ms) VALUES (?, ?)').run([endNumber(at), atMs])
  },

  /**
   * Files are to be read (again) of which no stat vouches for the hash, or which could not be read: nobody tells of these.
   * @param input.hints - only there
   */
  doubt(sql: Sql, { at, hints }: { at: End; hints: readonly Hint[] | undefined }): void {
    const touched = new Touched(sql)
    const read = sql.prepare('UPDATE seen SET kind = 0, reason = NULL, hash = NULL, racy = 0 WHERE at = ? AND path = ?')
    const doubted = sql.prepare<{ path: Uint8Array }>(
      `SELECT path FROM seen WHERE at = ? AND path > ? AND ((kind = 0 AND racy = 1)
         OR (kind = 3 AND reason = 'unreadable' AND directory = 0 AND inode <> 0)) ORDER BY path LIMIT ${DOUBTED_PAGE}`
    )
    let rows: { path: Uint8Array }[]
    for (let after = new Uint8Array(0); ; after = new Uint8Array(rows.at(-1)!.path)) {
      rows = doubted.all([endNumber(at), after])
      for (const { path } of rows) {
        if (hints !== undefined && !isHinted(keyPath(path), hints)) continue
        touched.add(path)
        read.run([endNumber(at), path])
      }
      if (rows.length < DOUBTED_PAGE) return
    }
  }
})

/** Of what was written just before it was read there may be a million. */
const DOUBTED_PAGE = 1_000

function keepMark(sql: Sql, at: End, mark: string): void {
  sql.prepare('INSERT OR REPLACE INTO followed (at, mark) VALUES (?, ?)').run([endNumber(at), mark])
}

const isHinted = (path: RelPath, hints: readonly Hint[]): boolean =>
  hints.some(hint => (hint.subtree ? hint.path === ROOT || isWithin(path, hint.path) : hint.path === path))

class Changes {
  readonly #sql: Sql
  readonly #at: End
  readonly #find: (path: RelPath) => SeenRow | undefined
  readonly #write: ReturnType<typeof seenWriter>
  readonly #unread: ReturnType<typeof noteUnread>
  readonly #touched: Touched

  constructor(sql: Sql, at: End) {
    this.#sql = sql
    this.#at = at
    this.#find = seenFinder(sql, at)
    this.#write = seenWriter(sql, at)
    this.#unread = noteUnread(sql, at)
    this.#touched = new Touched(sql)
  }

  /** Each of these directories is here under one of its names. */
  fit(moves: readonly FollowedMove[]): boolean {
    return moves.every(move => this.#isAt(move.path, move) || this.#isAt(move.to, move))
  }

  /** All at once: names may swap. What a batch of this device renamed is here under its new name already. */
  move(moves: readonly FollowedMove[]): void {
    const left = moves
      .filter(move => this.#isAt(move.path, move))
      .map(({ path, to }) => ({ from: pathKey(path), to: pathKey(to), path }))
    const put = rowMover(this.#sql, this.#at)
    for (const { path } of left) this.#touch(path)
    const deepestFirst = [...left.entries()].sort(([, a], [, b]) => b.from.length - a.from.length)
    for (const [i, { from }] of deepestFirst) put(from, aside(i))
    for (const [i, { to }] of [...left.entries()].sort(([, a], [, b]) => a.to.length - b.to.length)) {
      this.remove(to)
      put(aside(i), to)
      this.#touch(keyPath(to))
    }
  }

  put(entry: FollowedEntry): void {
    const { path, stat, from, problem } = entry
    const known = this.#find(path)
    if (known !== undefined && hasStat(known, entry)) return
    // A row may still bear the old name of its directory.
    const key = known?.key ?? pathKey(path)
    // A rename changes ctime, and nothing that a reader would notice: the hash holds until all of it is looked at again.
    const left = from === undefined ? undefined : this.#find(from)
    const same =
      left?.kind === 'file' &&
      left.hash !== undefined &&
      left.birthNs !== 0n &&
      left.inode === stat.inode &&
      left.birthNs === stat.birthNs &&
      left.sizeBytes === stat.sizeBytes &&
      left.mtimeNs === stat.mtimeNs
    this.#write(key, { ...seenValueOf(entry), ...(same && { hash: left.hash, racy: true }) })
    if (problem !== undefined) this.#unread(path, problem)
    if (known === undefined || !isAlikeToPlan(known, entry)) this.#touched.add(key)
  }

  /** With all below it. */
  remove(key: Uint8Array): void {
    this.#touched.add(key)
    this.#touched.addBelow(this.#at, key)
    removeRows(this.#sql, this.#at, key)
  }

  #isAt(path: RelPath, { inode, birthNs }: FollowedMove): boolean {
    const row = this.#find(path)
    return row?.kind === 'directory' && row.inode === inode && row.birthNs === birthNs
  }

  #touch(path: RelPath): void {
    const key = pathKey(path)
    this.#touched.add(key)
    this.#touched.addBelow(this.#at, key)
  }
}
