/**
 * Directories of a served folder that its driver renamed there itself: their rows follow at once, and nothing of what they hold is noted or
 * told (docs/decisions/165). In the writer thread of that device.
 */
import { isWithin, type RelPath } from '../../storage/base/index.js'
import type { Sql } from '../../storage/sql/index.js'
import { type FollowedMove, MAX_FOLLOWED_MOVES } from '../endpoints/index.js'
import { keyPath, keysBelow, pathKey } from './path-key.js'
import { moveRows } from './renames.js'
import { endNumber, seenFinder, signed } from './seen.js'

const AT = 'source'

/** Those that were renamed since the marks that the driver may have; it may have ended before it wrote down that it did. */
export function readPlaced(sql: Sql): readonly FollowedMove[] {
  return sql
    .prepare<{ path: Uint8Array; to_path: Uint8Array; inode: bigint; birth: bigint }>(
      'SELECT path, to_path, inode, birth FROM placed_moves',
      { bigint: true }
    )
    .all()
    .map(({ path, to_path, inode, birth }) => ({
      ...{ path: keyPath(path), to: keyPath(to_path) },
      ...{ inode: BigInt.asUintN(64, inode), birthNs: birth }
    }))
}

/**
 * After names were given that `telling.placing` noted. What is not plain (names within one another, a name that something was noted
 * below) is left to the next scan, which finds it by inode and birth time.
 */
export function notePlaced(sql: Sql, moves: readonly FollowedMove[]): void {
  const served = sql.prepare<{ last: string | null; round: number; noting: number }>('SELECT * FROM served').get()
  if (served?.last == null) return
  const before = readPlaced(sql)
  const names = [...before, ...moves].flatMap(({ path, to }) => [path, to])
  const isApart = (name: RelPath): boolean => names.filter(other => isRelated(name, other)).length === 1
  const plain = moves.filter(move => isApart(move.path) && isApart(move.to) && isAsNoted(sql, move))
  if (plain.length === 0 || before.length + plain.length > MAX_FOLLOWED_MOVES) return
  const keys = plain.map(({ path, to }): [Uint8Array, Uint8Array] => [pathKey(path), pathKey(to)])
  // The driver renames its rows as well: to it nothing is otherwise.
  sql.exec('UPDATE served SET noting = 0')
  moveRows(sql, AT, keys)
  sql.prepare('UPDATE served SET noting = ?').run([served.noting])
  const aside = sql.prepare('UPDATE told SET path = ? WHERE path = ?')
  const below = sql.prepare('UPDATE told SET path = CAST(? || substr(path, ?) AS BLOB) WHERE path >= ? AND path < ?')
  const note = sql.prepare('INSERT INTO placed_moves VALUES (?, ?, ?, ?, ?)')
  for (const [i, [from, to]] of keys.entries()) {
    // What was known of the directory is known of it under its new name, and that nothing was there of the old one.
    aside.run([ASIDE, to])
    aside.run([to, from])
    aside.run([from, ASIDE])
    below.run([to, from.length + 1, ...keysBelow(from)])
    const { inode, birthNs } = plain[i]!
    note.run([from, to, signed(inode), birthNs, served.round + 1])
  }
}

/** No path begins so, and it is behind all that is set aside. */
const ASIDE = Buffer.from([0, 1])

const isRelated = (a: RelPath, b: RelPath): boolean => isWithin(a, b) || isWithin(b, a)

/** It stood there as it is known here, and nothing was known at or below its new name. */
function isAsNoted(sql: Sql, { path, to, inode, birthNs }: FollowedMove): boolean {
  const row = seenFinder(sql, AT)(path)
  if (row?.kind !== 'directory' || row.inode !== inode || row.birthNs !== birthNs || birthNs === 0n) return false
  const [from, key] = [pathKey(path), pathKey(to)]
  const state = sql.prepare<{ state: number }>('SELECT state FROM told WHERE path = ?')
  if (state.get([from])?.state !== 1 || state.get([key])?.state !== 0) return false
  const range = [...keysBelow(key)] as const
  const found = [
    sql.prepare('SELECT 1 FROM told WHERE path >= ? AND path < ? LIMIT 1').get(range),
    sql
      .prepare('SELECT 1 FROM seen WHERE at = ? AND (path = ? OR (path >= ? AND path < ?)) LIMIT 1')
      .get([endNumber(AT), key, ...range])
  ]
  return found.every(one => one === undefined)
}

/**
 * Whether all of them can be told together, in whichever of its two states the driver is: before it wrote down what it placed, or after.
 * @param found - what was renamed there by others since
 */
export function fitTogether(sql: Sql, placed: readonly FollowedMove[], found: readonly FollowedMove[]): boolean {
  if (placed.length === 0) return true
  const find = seenFinder(sql, AT)
  const stands = ({ to, inode, birthNs }: FollowedMove): boolean => {
    const row = find(to)
    return row?.kind === 'directory' && row.inode === inode && row.birthNs === birthNs
  }
  const isClear = (name: RelPath): boolean =>
    placed.every(({ path, to }) => !isRelated(name, path) && (name === to || !isWithin(to, name)))
  return placed.every(stands) && found.every(({ path, to }) => isClear(path) && isClear(to))
}
