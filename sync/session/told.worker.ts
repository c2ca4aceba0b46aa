/**
 * What a served folder's snapshot tells its driver: the rows that are otherwise than it knows by its mark. Beside `seen`, which a scan
 * brings up to date, stands what the driver was told of each path that changed since (`told`, written by triggers).
 */
import { defineTasks, displayPath, type RelPath } from '../../storage/base/index.js'
import type { Sql, SqlValue } from '../../storage/sql/index.js'
import { type EntryColumns, FOLLOWED_PAGE, type FollowedMove, type TreeEntry, toColumns } from '../endpoints/index.js'
import { keyPath, pathKey } from './path-key.js'
import { notePlaced } from './placed-moves.js'
import { settleRenames } from './renames.js'
import { COLUMNS, type SeenRow, seenOf } from './seen.js'
import { findMoves, type MovesToTell, ToldMoves } from './told-moves.js'
import { forgetRead } from './unread.js'

interface Served {
  readonly base: string | null
  readonly last: string | null
  readonly round: number
  readonly placed: number
  readonly base_placed: number
  readonly last_placed: number
}

/** Some rows; `next`: where the ones after them begin, undefined at the end. */
export interface ToldPage {
  readonly columns: EntryColumns
  /** Files that bore another name. */
  readonly from: readonly { readonly index: number; readonly path: RelPath }[]
  readonly next: Uint8Array | undefined
}

export interface ToldGone {
  readonly paths: readonly RelPath[]
  readonly next: Uint8Array | undefined
}

interface After {
  readonly moves: readonly Pick<FollowedMove, 'path' | 'to'>[]
  readonly after: Uint8Array | undefined
}

/** A name that a driver gives or takes. */
export interface PlacedName {
  readonly path: RelPath
  /** With all below it, if it is a directory. */
  readonly deep: boolean
}

const NOTED = 'path, round, state, sure, deep, kind, size, mtime, ctime, birth, inode, mode, target, reason, directory'
const STARTS = new Uint8Array(0)
/** Looked at between two pages, however few of them are to be told. */
const LOOKED_A_PAGE = 8 * FOLLOWED_PAGE

export const telling = defineTasks(import.meta.url, {
  /**
   * The driver asks. What it says it has frees what was kept for older marks. Who has placed more since than is known here has met another
   * state of this database, which was put back.
   * @param input.all - all of the folder will be looked at @returns whether it has to be told everything
   */
  open(sql: Sql, { since, placed, all }: { since: string | undefined; placed: number; all: boolean }): boolean {
    const served = sql.prepare<Served>('SELECT * FROM served').get()
    const [isLast, isBase] = [since === served?.last, since === served?.base]
    const before = isBase ? served?.base_placed : served?.last_placed
    const isKnown = since !== undefined && (isLast || isBase) && placed <= served!.placed - before!
    if (!isKnown) {
      const { round = 0, placed: ever = 0 } = served ?? {}
      sql.exec('DELETE FROM told; DELETE FROM placed_moves; DELETE FROM compared')
      sql.prepare('INSERT OR REPLACE INTO served VALUES (1, NULL, NULL, ?, 0, ?, 0, 0)').run([round + 1, ever])
      return true
    }
    // What was noted for an answer that was cut off is relative to the same mark, and goes on to be.
    if (!isBase)
      for (const table of ['told', 'placed_moves'])
        sql.prepare(`DELETE FROM ${table} WHERE round <= ?`).run([served!.round])
    sql.prepare('UPDATE served SET base = ?, base_placed = ?, round = round + 1, noting = 1').run([since, before!])
    if (all) sql.exec('DELETE FROM compared')
    return false
  },

  /** A scan came to its end: rows of renamed directories come under their names. */
  looked(sql: Sql): void {
    settleRenames(sql)
    forgetRead(sql)
    sql.exec(`DELETE FROM touched; INSERT OR REPLACE INTO compared VALUES (1, '')`)
  },

  /** A scan was cut off: the next one looks at everything. */
  unsure(sql: Sql): void {
    sql.exec('DELETE FROM compared')
  },

  /** What the driver is about to place: whatever comes of it, these names are told the next time. */
  placing(sql: Sql, names: readonly PlacedName[]): void {
    const served = sql.prepare<Served>('SELECT * FROM served').get()
    if (served?.last == null) return
    sql.exec('UPDATE served SET placed = placed + 1')
    const seen = sql.prepare(
      `INSERT OR REPLACE INTO told (${NOTED})
       SELECT path, ?, 1, 0, ?, kind, size, mtime, ctime, birth, inode, mode, target, reason, directory FROM seen
       WHERE at = 0 AND path = ?`
    )
    const nothing = sql.prepare('INSERT OR REPLACE INTO told (path, round, state, sure, deep) VALUES (?, ?, 0, 0, ?)')
    const known = sql.prepare<{ deep: number }>('SELECT deep FROM told WHERE path = ? AND round > ?')
    const again = sql.prepare('UPDATE told SET sure = 0, deep = ? WHERE path = ?')
    for (const { path, deep } of names) {
      const key = pathKey(path)
      const was = known.get([key, served.round])
      if (was !== undefined) again.run([deep || was.deep === 1 ? 1 : 0, key])
      else if (seen.run([served.round + 1, deep ? 1 : 0, key]).changes === 0)
        nothing.run([key, served.round + 1, deep ? 1 : 0])
    }
  },

  /** Directories that the driver renamed there just now, after `placing`. */
  placed(sql: Sql, moves: readonly FollowedMove[]): void {
    notePlaced(sql, moves)
  },

  /** Directories to be renamed first; undefined: everything is told instead. */
  moves(sql: Sql): MovesToTell | undefined {
    return findMoves(sql)
  },

  /** Everything is told. */
  whole(sql: Sql): void {
    sql.exec('DELETE FROM told; DELETE FROM placed_moves; UPDATE served SET base = NULL, last = NULL, noting = 0')
  },

  /** All there is, in tree order. */
  all(sql: Sql, { after }: Pick<After, 'after'>): ToldPage {
    const rows = sql
      .prepare<never>(`SELECT ${COLUMNS} FROM seen WHERE at = 0 AND path > ? ORDER BY path LIMIT ${FOLLOWED_PAGE}`, RAW)
      .all([after ?? STARTS]) as unknown as SqlValue[][]
    const entryOf = entries(sql)
    const columns = toColumns(rows.map(raw => entryOf(seenAt(raw))))
    return { columns, from: [], next: rows.length < FOLLOWED_PAGE ? undefined : (rows.at(-1)![0] as Uint8Array) }
  },

  /** What came or is otherwise, in tree order. */
  changed(sql: Sql, { moves, after }: After): ToldPage {
    const told = new Told(sql, moves)
    const entryOf = entries(sql)
    const found: TreeEntry[] = []
    const from: ToldPage['from'][number][] = []
    const next = told.each(after, key => {
      const now = told.seen(key)
      if (now === undefined || told.isKnown(key, now)) return found.length < FOLLOWED_PAGE
      const left = told.leftFrom(now)
      if (left !== undefined) from.push({ index: found.length, path: left })
      return found.push(entryOf(now)) < FOLLOWED_PAGE
    })
    return { columns: toColumns(found), from, next }
  },

  /** What is gone, in no order. */
  gone(sql: Sql, { moves, after }: After): ToldGone {
    const told = new Told(sql, moves)
    const paths: RelPath[] = []
    const next = told.each(after, key => {
      for (const gone of told.gone(key)) paths.push(keyPath(gone))
      return paths.length < FOLLOWED_PAGE
    })
    return { paths, next }
  },

  /** All of it goes out under this mark. */
  close(sql: Sql, { mark }: { mark: string }): void {
    sql.prepare('UPDATE served SET last = ?, last_placed = placed').run([mark])
  }
})

const RAW = { raw: true, bigint: true } as const
const seenAt = (raw: readonly SqlValue[]): SeenRow => seenOf(raw, keyPath(raw[0] as Uint8Array))

/** What was noted, read beside what there is. */
class Told {
  readonly #moves: ToldMoves
  readonly #page: (after: Uint8Array) => { path: Uint8Array }[]
  readonly #noted: (key: Uint8Array) => Noted | undefined
  readonly #left: (row: SeenRow) => Uint8Array[]
  readonly seen: (key: Uint8Array) => SeenRow | undefined
  #above: { readonly key: Buffer; readonly gone: readonly (Uint8Array | undefined)[] } | undefined

  constructor(sql: Sql, moves: After['moves']) {
    this.#moves = new ToldMoves(moves)
    const page = sql.prepare<{ path: Uint8Array }>(
      `SELECT path FROM told WHERE path > ? ORDER BY path LIMIT ${LOOKED_A_PAGE}`
    )
    this.#page = after => page.all([after])
    const seen = sql.prepare<never>(`SELECT ${COLUMNS} FROM seen WHERE at = 0 AND path = ?`, RAW)
    this.seen = key => {
      const raw = seen.get([key]) as SqlValue[] | undefined
      return raw && seenAt(raw)
    }
    const noted = sql.prepare<never>(
      `SELECT path, kind, size, mtime, ctime, birth, inode, mode, NULL, target, reason, directory, 0, state, sure FROM told
       WHERE path = ?`,
      RAW
    )
    this.#noted = key => {
      const raw = noted.get([key]) as SqlValue[] | undefined
      return raw && { row: raw[13] === 1n ? seenAt(raw) : undefined, sure: raw[14] === 1n }
    }
    const left = sql.prepare<{ path: Uint8Array }>(
      'SELECT path FROM told WHERE state = 1 AND kind = 0 AND inode = ? AND birth = ? AND size = ? AND mtime = ? LIMIT 2'
    )
    this.#left = ({ inode, birthNs, sizeBytes, mtimeNs }) =>
      left.all([BigInt.asIntN(64, inode), birthNs, sizeBytes, mtimeNs]).map(({ path }) => path)
  }

  /** Each noted key after one, until `take` has enough. @returns after which to go on */
  each(after: Uint8Array | undefined, take: (key: Uint8Array) => boolean): Uint8Array | undefined {
    const rows = this.#page(after ?? STARTS)
    for (const { path } of rows) if (!isAside(path) && !take(path)) return path
    return rows.length < LOOKED_A_PAGE ? undefined : rows.at(-1)!.path
  }

  /** The driver has exactly that there, after what it renamed. */
  isKnown(key: Uint8Array, now: SeenRow): boolean {
    const own = this.#noted(key)
    const source = this.#moves.sourceOf(key)
    if (own?.sure === false || source === undefined) return false
    const then = this.#then(source)
    return then.sure && then.row !== undefined && isAlike(then.row, now)
  }

  /** Under which name the driver has the content of a file that is new here. */
  leftFrom(now: SeenRow): RelPath | undefined {
    if (now.kind !== 'file' || now.birthNs === 0n) return undefined
    const others = this.#left(now).filter(key => keyPath(key) !== now.path)
    const [key] = others
    return key && keyPath(this.#moves.movedTo(key) ?? key)
  }

  /** What of the driver's is not there any more, where it would be after what it renamed; nothing of what goes with its directory. */
  gone(key: Uint8Array): Uint8Array[] {
    const above = this.#goneAbove(key)
    return this.#goneAt(key).flatMap((gone, i) => {
      const along = above[i]
      return gone === undefined || (along !== undefined && isBelow(gone, along)) ? [] : [gone]
    })
  }

  /** Under the name that it has, and under the one that it would bear. */
  #goneAt(key: Uint8Array): (Uint8Array | undefined)[] {
    const noted = this.#noted(key)
    if (noted === undefined || (noted.row === undefined && noted.sure)) return []
    return [key, this.#moves.movedTo(key)].map(k => (k === undefined || this.seen(k) !== undefined ? undefined : k))
  }

  /** The same of its directory: of many files in one it is asked once. */
  #goneAbove(key: Uint8Array): readonly (Uint8Array | undefined)[] {
    const above = Buffer.from(key.subarray(0, Math.max(0, key.lastIndexOf(0))))
    if (this.#above === undefined || !above.equals(this.#above.key))
      this.#above = { key: above, gone: this.#goneAt(above) }
    return this.#above.gone
  }

  #then(key: Uint8Array): Noted {
    return this.#noted(key) ?? { row: this.seen(key), sure: true }
  }
}

interface Noted {
  /** undefined: nothing was there. */
  readonly row: SeenRow | undefined
  readonly sure: boolean
}

/** Everything that is told of a thing is the same. */
function isAlike(a: SeenRow, b: SeenRow): boolean {
  const shared = ['kind', 'sizeBytes', 'mtimeNs', 'ctimeNs', 'birthNs', 'inode', 'mode', 'target', 'reason'] as const
  return a.directory === b.directory && shared.every(key => a[key] === b[key])
}

/** A row as what a look would tell of it. */
function entries(sql: Sql): (row: SeenRow) => TreeEntry {
  const problem = sql.prepare<{ code: string; message: string }>(
    'SELECT code, message FROM unread WHERE at = 0 AND path = ?'
  )
  return ({ key, path, kind, sizeBytes, mtimeNs, ctimeNs, birthNs, inode, mode, target, reason, directory }) => {
    const is = kind !== 'unknown' ? kind : directory ? 'directory' : 'other'
    const stat = { kind: is, sizeBytes, mtimeNs, ctimeNs, birthNs, inode, mode, ...ELSEWHERE } as const
    if (kind !== 'unknown') return { path, stat, ...(target !== undefined && { target }) }
    const why = problem.get([key])
    return { path, stat, unknown: reason ?? 'special', ...(why && { problem: { path: displayPath(path), ...why } }) }
  }
}

/** What no snapshot keeps. */
const ELSEWHERE = { device: 0n, mount: 0n, links: 0, uid: 0 }

const isAside = (key: Uint8Array): boolean => key[0] === 0

function isBelow(key: Uint8Array, above: Uint8Array): boolean {
  return (
    key.length > above.length && key[above.length] === 0 && Buffer.compare(key.subarray(0, above.length), above) === 0
  )
}
