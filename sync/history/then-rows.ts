/** Rows of the work database: what the target shall be, made of today's tree and of lines. */
import { type ContentHash, pathBytes, type RelPath, textFromBytes } from '../../storage/base/index.js'
import { hashFromBytes, hashToBytes } from '../../storage/content/index.js'
import type { Sql } from '../../storage/sql/index.js'
import { keysBelow, pathKey } from '../session/index.js'
import type { Kept, TreeNow } from '../versions/index.js'

/** Values of `seen.at` in a work database. */
export const THEN = 0
export const TARGET = 1
export const BASE = 2

const KINDS = ['file', 'directory', 'symlink'] as const
/** Columns of `seen`. */
export const STAT = 'kind, size, mtime, ctime, birth, inode, mode, hash, racy, target, reason, directory'
const NO_IDENTITY = 'kind, size, mtime, 0, 0, 0, mode, hash, racy, target, reason, directory'

/** Writes what the target shall be. */
export class ThenRows {
  readonly #sql: Sql
  readonly #base: number
  readonly #same: boolean

  constructor(sql: Sql, base: number, same: boolean) {
    this.#sql = sql
    this.#base = base
    this.#same = same
  }

  /** As a line says it was. */
  put(path: RelPath, was: Kept): void {
    const file = was.kind === 'file'
    this.#sql
      .prepare(
        `INSERT OR REPLACE INTO seen (at, path, ${STAT}) VALUES (${THEN}, ?, ?, ?, ?, 0, 0, 0, ?, ?, 0, ?, NULL, 0)`
      )
      .run([
        ...[pathKey(path), KINDS.indexOf(was.kind), file ? was.sizeBytes : 0, was.mtimeNs],
        ...[was.kind === 'symlink' ? 0o777 : was.mode, file ? hashToBytes(was.hash) : null],
        was.kind === 'symlink' ? pathBytes(was.target) : null
      ])
  }

  /** As it is today at `now`, but for times and permission bits. */
  take(path: RelPath, now: RelPath, { mtimeNs, ...was }: Kept): void {
    this.copy(this.#base, now, path)
    const mode = 'mode' in was ? was.mode : undefined
    this.#sql
      .prepare(`UPDATE seen SET mtime = ?, mode = coalesce(?, mode) WHERE at = ${THEN} AND path = ? AND kind < 3`)
      .run([mtimeNs, mode ?? null, pathKey(path)])
    if (this.#same && path === now) return
    this.#sql.prepare('INSERT OR REPLACE INTO origins VALUES (?, ?)').run([pathKey(path), pathKey(now)])
  }

  /** Everything below `now`. */
  takeBelow(path: RelPath, now: RelPath): number {
    const [key, from] = [pathKey(path), pathKey(now)]
    const range = [this.#base, ...keysBelow(from)]
    const to = 'CAST(? || substr(path, ?) AS BLOB)'
    const stat = this.#same ? STAT : NO_IDENTITY
    const taken = this.#sql
      .prepare(
        `INSERT OR REPLACE INTO seen (at, path, ${STAT})
         SELECT ${THEN}, ${to}, ${stat} FROM seen WHERE at = ? AND path >= ? AND path < ?`
      )
      .run([key, from.length + 1, ...range]).changes
    if (!this.#same || path !== now)
      this.#sql
        .prepare(
          `INSERT OR REPLACE INTO origins
           SELECT ${to}, path FROM seen WHERE at = ? AND path >= ? AND path < ? AND kind = 0`
        )
        .run([key, from.length + 1, ...range])
    return taken
  }

  copy(at: number, path: RelPath, to: RelPath): void {
    this.#sql
      .prepare(
        `INSERT OR REPLACE INTO seen (at, path, ${STAT})
         SELECT ${THEN}, ?, ${this.#same ? STAT : NO_IDENTITY} FROM seen WHERE at = ? AND path = ?`
      )
      .run([pathKey(to), at, pathKey(path)])
  }
}

/** No name is longer than 255 bytes. */
const AFTER_ALL = new Uint8Array(256).fill(0xff)

interface TodayRow {
  path: Uint8Array
  kind: bigint
  size: bigint
  mtime: bigint
  mode: bigint
  hash: Uint8Array | null
  target: Uint8Array | null
}

/** Today's tree of the snapshot. What is unknown in it passes as a file: its row is taken as it is. */
export function treeNow(sql: Sql, at: number): TreeNow {
  const columns = 'path, kind, size, mtime, mode, hash, target'
  const next = sql.prepare<TodayRow>(
    `SELECT ${columns} FROM seen WHERE at = ? AND path >= ? AND path < ? ORDER BY path LIMIT 1`,
    { bigint: true }
  )
  const one = sql.prepare<TodayRow>(`SELECT ${columns} FROM seen WHERE at = ? AND path = ?`, { bigint: true })
  return {
    find: path => {
      const row = one.get([at, pathKey(path)])
      return row && keptOf(row)
    },
    list(path) {
      const all = path === ''
      const [from, to] = all ? [new Uint8Array(0), AFTER_ALL] : keysBelow(pathKey(path))
      const found: { name: string; entry: Kept }[] = []
      for (let after: Uint8Array = from; ; ) {
        const row = next.get([at, after, to])
        if (row === undefined) return found
        found.push({ name: textFromBytes(row.path.subarray(from.length)), entry: keptOf(row) })
        after = keysBelow(row.path)[1] // what lies below it is passed over
      }
    }
  }
}

function keptOf({ kind, size, mtime: mtimeNs, mode, hash, target }: TodayRow): Kept {
  if (kind === 2n) return { kind: 'symlink', target: target === null ? '' : textFromBytes(target), mtimeNs }
  if (kind === 1n) return { kind: 'directory', mtimeNs, mode: Number(mode) & 0o7777 }
  const content = hash === null ? ('' as ContentHash) : hashFromBytes(hash)
  return { kind: 'file', hash: content, sizeBytes: Number(size), mtimeNs, mode: Number(mode) & 0o7777 }
}
