/** Directories of a served folder that bear other names than the driver was told, found by inode and birth time. */
import { nameOf, parentOf, type RelPath } from '../../storage/base/index.js'
import type { Sql } from '../../storage/sql/index.js'
import { type FollowedMove, MAX_FOLLOWED_MOVES } from '../endpoints/index.js'
import { keyPath, keysBelow, pathKey } from './path-key.js'
import { fitTogether, readPlaced } from './placed-moves.js'
import { isAtOrBelow } from './renames.js'

/** More directories than this among what changed, and names are told that are gone and others that came. */
const MAX_DIRECTORIES = 20_000

interface KeyMove {
  readonly from: Buffer
  readonly to: Buffer
}

/** Where rows of the driver lie once it has renamed what it was told to. */
export class ToldMoves {
  readonly #byFrom: readonly KeyMove[]
  readonly #byTo: readonly KeyMove[]

  constructor(moves: readonly Pick<FollowedMove, 'path' | 'to'>[]) {
    const keys = moves.map(({ path, to }) => ({ from: Buffer.from(pathKey(path)), to: Buffer.from(pathKey(to)) }))
    // The longest name first: what lies in another directory that moves goes its own way.
    this.#byFrom = [...keys].sort((a, b) => b.from.length - a.from.length)
    this.#byTo = [...keys].sort((a, b) => b.to.length - a.to.length)
  }

  /** Where the row that had this key is now; undefined: where it was. */
  movedTo(key: Uint8Array): Uint8Array | undefined {
    const move = this.#byFrom.find(m => isAtOrBelow(key, m.from))
    return move && Buffer.concat([move.to, key.subarray(move.from.length)])
  }

  /** Which key the row at this one had; undefined: there is none, it was renamed or gave way. */
  sourceOf(key: Uint8Array): Uint8Array | undefined {
    const move = this.#byTo.find(m => isAtOrBelow(key, m.to))
    if (move === undefined) return this.#byFrom.some(m => isAtOrBelow(key, m.from)) ? undefined : key
    const source = Buffer.concat([move.from, key.subarray(move.to.length)])
    return this.#byFrom.find(m => isAtOrBelow(source, m.from)) === move ? source : undefined
  }
}

interface Directory {
  readonly path: Uint8Array
  readonly left: bigint | null
  readonly leftBirth: bigint
  readonly here: bigint | null
  readonly hereBirth: bigint
}

/** Directories that the driver has to have renamed, unless it did so itself. */
export interface MovesToTell {
  /** By the driver, and its rows and what it knows lie under the new names already. */
  readonly placed: readonly FollowedMove[]
  /** By others since then. */
  readonly found: readonly FollowedMove[]
}

/** @returns undefined: what the driver placed itself cannot be told from what it was told, so everything is told */
export function findMoves(sql: Sql): MovesToTell | undefined {
  const placed = readPlaced(sql)
  const moves = candidates(sql).filter(({ path, to }) => isAllNoted(sql, path) && isAllNoted(sql, to))
  const found = placed.length + moves.length > MAX_FOLLOWED_MOVES ? [] : moves
  if (!fitTogether(sql, placed, found)) return undefined
  const few = [...placed, ...found]
  const taken = new Set(few.map(m => m.to))
  // A directory that the driver renamed stands there, and not as it was found: below it anything may be otherwise.
  const doubted = sql
    .prepare<{ path: Uint8Array }>(
      'SELECT t.path AS path FROM told t JOIN seen s ON s.at = 0 AND s.path = t.path WHERE t.deep = 1 AND s.kind = 1'
    )
    .all()
    .map(({ path }) => keyPath(path))
  const left = new Set(few.map(m => m.path))
  return doubted.every(path => taken.has(path) || left.has(path)) ? { placed, found } : undefined
}

function candidates(sql: Sql): readonly FollowedMove[] {
  const directories = sql
    .prepare<Directory>(
      `SELECT t.path AS path, CASE WHEN t.state = 1 AND t.kind = 1 THEN t.inode END AS left, coalesce(t.birth, 0) AS leftBirth,
         CASE WHEN s.kind = 1 THEN s.inode END AS here, coalesce(s.birth, 0) AS hereBirth
       FROM told t LEFT JOIN seen s ON s.at = 0 AND s.path = t.path
       WHERE (t.state = 1 AND t.kind = 1) OR s.kind = 1 LIMIT ${MAX_DIRECTORIES + 1}`,
      { bigint: true }
    )
    .all()
  if (directories.length > MAX_DIRECTORIES) return []
  const left = new Map<string, RelPath | undefined>()
  const arrived = new Map<string, { to: RelPath; inode: bigint; birthNs: bigint } | undefined>()
  for (const { path, left: was, leftBirth, here, hereBirth } of directories) {
    if (was === here && leftBirth === hereBirth) continue
    const [old, now] = [`${was}.${leftBirth}`, `${here}.${hereBirth}`]
    // One that is met twice (a bind mount) proves nothing.
    if (was !== null && leftBirth !== 0n) left.set(old, left.has(old) ? undefined : keyPath(path))
    if (here === null || hereBirth === 0n) continue
    const entry = { to: keyPath(path), inode: BigInt.asUintN(64, here), birthNs: hereBirth }
    arrived.set(now, arrived.has(now) ? undefined : entry)
  }
  const moves = new Map<RelPath, FollowedMove>()
  for (const [identity, path] of left) {
    const entry = arrived.get(identity)
    if (path !== undefined && entry !== undefined) moves.set(path, { path, ...entry })
  }
  const along = ({ path, to }: FollowedMove): boolean =>
    nameOf(path) === nameOf(to) && moves.get(parentOf(path))?.to === parentOf(to)
  return [...moves.values()].filter(move => !along(move))
}

/** Each thing there is at and below a path is among what is noted: what the driver has there is known. */
function isAllNoted(sql: Sql, path: RelPath): boolean {
  const key = pathKey(path)
  const other = sql.prepare(
    `SELECT 1 FROM seen s WHERE at = 0 AND (path = ? OR (path >= ? AND path < ?))
       AND NOT EXISTS (SELECT 1 FROM told t WHERE t.path = s.path) LIMIT 1`
  )
  return other.get([key, ...keysBelow(key)]) === undefined
}
