/** Brings the snapshot of an end up to date at single paths, of which somebody said that they may have changed. In the writer thread. */
import { isWithin, parentOf, type RelPath, ROOT } from '../../storage/base/index.js'
import type { Sql } from '../../storage/sql/index.js'
import type { TreeEntry } from '../endpoints/index.js'
import type { End } from '../reconcile/index.js'
import { keyPath, pathKey } from './path-key.js'
import { moveRows, type Rename } from './renames.js'
import {
  endNumber,
  hasStat,
  isAlikeToPlan,
  isAsSeen,
  readKeys,
  removeRows,
  type SeenRow,
  seenFinder,
  seenValueOf,
  seenWriter
} from './seen.js'
import { Touched } from './touched.js'

/** Something may have changed there. */
export interface Hint {
  readonly path: RelPath
  /** And everywhere below it. */
  readonly subtree: boolean
}

/** A hint and what a look at it told: an entry, nothing, or that it cannot be told. */
export interface LookedHint extends Hint {
  readonly entry?: TreeEntry | undefined
  readonly failed?: boolean | undefined
}

export interface HintsInput {
  readonly at: End
  readonly hints: readonly LookedHint[]
  /** Nobody asks for content. */
  readonly statsOnly?: boolean | undefined
}

export interface HintsOutcome {
  /** To be walked before a plan is made. */
  readonly walk: readonly RelPath[]
  /** Folders that came here from elsewhere as they were: what changed in them meanwhile may be looked for after the plan. */
  readonly later: readonly RelPath[]
}

/** A folder of fewer rows is renamed at once: that takes some milliseconds. */
export const RENAME_LATER_FROM = 1_000

/**
 * Where the directories among these stood: paths of the snapshot with the same inode and birth time. They are to be looked at as
 * well, since a folder that moved is a move only if its old name is gone.
 */
export function movedFrom(sql: Sql, { at, hints }: HintsInput): RelPath[] {
  const find = seenFinder(sql, at)
  const hinted = new Set<string>(hints.map(h => h.path))
  const wanted = new Set<string>()
  for (const { path, entry } of hints) {
    if (entry === undefined || !isPlainDirectory(entry)) continue
    const known = find(path)
    if (known === undefined || !isOne(known, entry)) wanted.add(identityOf(entry.stat))
  }
  if (wanted.size === 0) return []
  const rows = sql.prepare<never>('SELECT path, inode, birth FROM seen WHERE at = ? AND kind = 1', {
    raw: true,
    bigint: true
  })
  const found: RelPath[] = []
  for (const raw of rows.iterate([endNumber(at)]) as Iterable<[Uint8Array, bigint, bigint]>) {
    const [key, inode, birthNs] = raw
    if (!wanted.has(identityOf({ inode: BigInt.asUintN(64, inode), birthNs }))) continue
    const path = keyPath(key)
    if (!hinted.has(path)) found.push(path)
  }
  return found
}

/** @returns what is still to be walked */
export function applyHints(sql: Sql, input: HintsInput): HintsOutcome {
  return new Hints(sql, input).apply(input.hints)
}

class Hints {
  readonly #sql: Sql
  readonly #at: End
  readonly #find: (path: RelPath) => SeenRow | undefined
  readonly #write: ReturnType<typeof seenWriter>
  readonly #touched: Touched
  readonly #walk = new Set<RelPath>()
  readonly #later: RelPath[] = []
  /** What stood at a path and does not any more. */
  readonly #gone: SeenRow[] = []
  readonly #arrived: TreeEntry[] = []
  /** Paths at which something is to be written that stayed what it was. */
  readonly #edited: TreeEntry[] = []

  readonly #isAsSeen: (row: SeenRow, entry: TreeEntry) => boolean

  constructor(sql: Sql, { at, statsOnly = false }: HintsInput) {
    this.#isAsSeen = statsOnly ? hasStat : isAsSeen
    this.#sql = sql
    this.#at = at
    this.#find = seenFinder(sql, at)
    this.#write = seenWriter(sql, at)
    this.#touched = new Touched(sql)
  }

  apply(hints: readonly LookedHint[]): HintsOutcome {
    for (const hint of hints) this.#sort(hint)
    const moves = this.#moves()
    this.#move(moves, hints)
    const isMoved = (path: RelPath): boolean => moves.some(m => isWithin(path, m.path) || isWithin(path, m.to))
    // The name that a folder left may be another thing's by now, which went nowhere.
    const isWalked = (path: RelPath): boolean =>
      moves.some(m => isWithin(path, m.to) || (path !== m.path && isWithin(path, m.path)))
    for (const row of this.#gone) if (!isMoved(row.path)) this.#remove(row)
    const left = new Map(this.#gone.filter(r => r.kind === 'file').map(r => [identityOf(r), r]))
    for (const entry of this.#arrived) if (!isWalked(entry.path)) this.#arrive(entry, left.get(identityOf(entry.stat)))
    for (const entry of this.#edited) if (!isMoved(entry.path)) this.#edit(entry)
    const walk = [...this.#walk]
    return { walk: walk.filter(a => !walk.some(b => a !== b && isWithin(a, b))), later: this.#later }
  }

  /** Compares one hint with what the snapshot has there. */
  #sort({ path, subtree, entry, failed = false }: LookedHint): void {
    const way = this.#wayTo(path)
    if (way === 'unknown') return
    if (way !== undefined) {
      if (entry !== undefined || failed) this.#walk.add(way)
      return
    }
    // Its directory cannot be searched any more, say: what is in it is unknown then.
    if (failed) return void this.#walk.add(parentOf(path))
    const known = this.#find(path)
    if (entry === undefined) {
      if (known !== undefined) this.#gone.push(known)
    } else if (known !== undefined && isOne(known, entry)) {
      if (!this.#isAsSeen(known, entry)) this.#edited.push(entry)
      const opened = isPlainDirectory(entry) && known.mode !== entry.stat.mode
      if (isPlainDirectory(entry) && (subtree || opened)) this.#walk.add(path)
    } else {
      if (known !== undefined) this.#gone.push(known)
      this.#arrived.push(entry)
    }
  }

  /** @returns undefined when all directories above are known; else the topmost that is not, or that nothing below one is of interest */
  #wayTo(path: RelPath): RelPath | 'unknown' | undefined {
    let missing: RelPath | undefined
    for (let at = parentOf(path); at !== ROOT; at = parentOf(at)) {
      const row = this.#find(at)
      if (row?.kind === 'unknown') return 'unknown'
      if (row?.kind !== 'directory') missing = at
    }
    return missing
  }

  /** Directories that are gone here and arrived there. */
  #moves(): Rename[] {
    const left = new Map(
      this.#gone.filter(r => r.kind === 'directory' && r.birthNs !== 0n).map(r => [identityOf(r), r])
    )
    const moves = this.#arrived.flatMap((entry): Rename[] => {
      const row = isPlainDirectory(entry) ? left.get(identityOf(entry.stat)) : undefined
      return row === undefined ? [] : [{ path: row.path, to: entry.path }]
    })
    // What went along with the directory that it is in.
    return moves.filter(
      m => !moves.some(o => o !== m && isWithin(m.path, o.path) && m.to === o.to + m.path.slice(o.path.length))
    )
  }

  /**
   * One large folder that moved, with whatever changed in it: its rows follow later, and it is looked into after that. Where anything
   * else came or went they follow at once, and it is walked: that may have gone into the folder, or come out of it.
   */
  #move(moves: readonly Rename[], hints: readonly LookedHint[]): void {
    const [first] = moves
    if (first === undefined) return
    const keys = moves.map(({ path, to }): [Uint8Array, Uint8Array] => [pathKey(path), pathKey(to)])
    for (const pair of keys) this.#touched.add(...pair)
    const alone = moves.length === 1 && this.#isAlone(first)
    if (alone && readKeys(this.#sql, this.#at, first.path, RENAME_LATER_FROM).length === RENAME_LATER_FROM) {
      this.#sql
        .prepare('INSERT INTO renamed VALUES (?, ?, ?)')
        .run([endNumber(this.#at), pathKey(first.path), pathKey(first.to)])
      for (const path of this.#walk) if (isWithin(path, first.to)) this.#walk.delete(path)
      const names: readonly RelPath[] = [first.path, first.to]
      const isInside = ({ path, subtree }: Hint): boolean =>
        names.some(name => isWithin(path, name)) && (subtree || !names.includes(path))
      if (hints.some(isInside)) this.#later.push(first.to)
      return
    }
    for (const [from] of keys) this.#touched.addBelow(this.#at, from)
    moveRows(this.#sql, this.#at, keys)
    for (const [, to] of keys) this.#touched.addBelow(this.#at, to)
    for (const { to } of moves) this.#walk.add(to)
  }

  /** Nothing came or went but one folder and what is in it, and nothing is under its old name or was under the new one. */
  #isAlone({ path, to }: Rename): boolean {
    return (
      this.#gone.every(row => isWithin(row.path, path)) &&
      this.#arrived.every(entry => entry.path === to) &&
      ![...this.#edited.map(entry => entry.path), ...this.#walk].some(p => isWithin(p, path)) &&
      this.#find(to) === undefined
    )
  }

  #remove({ key }: SeenRow): void {
    this.#touched.add(key)
    this.#touched.addBelow(this.#at, key)
    removeRows(this.#sql, this.#at, key)
  }

  /**
   * @param left - a file of that inode whose name is gone: a rename changes ctime, so that the stat vouches no more, but nothing that
   *   a reader would notice. Its hash holds until the next walk reads it again.
   */
  #arrive(entry: TreeEntry, left: SeenRow | undefined): void {
    const { path, stat } = entry
    if (isPlainDirectory(entry)) return void this.#walk.add(path)
    const key = pathKey(path)
    this.#touched.add(key)
    const same =
      left !== undefined && left.sizeBytes === stat.sizeBytes && left.mtimeNs === stat.mtimeNs && left.birthNs !== 0n
    this.#write(key, { ...seenValueOf(entry), ...(same && left.hash !== undefined && { hash: left.hash, racy: true }) })
  }

  #edit(entry: TreeEntry): void {
    const key = pathKey(entry.path)
    if (!isAlikeToPlan(this.#find(entry.path)!, entry)) this.#touched.add(key)
    this.#write(key, seenValueOf(entry))
  }
}

const identityOf = ({ inode, birthNs }: { inode: bigint; birthNs: bigint }): string => `${inode}.${birthNs}`

const isPlainDirectory = ({ stat, unknown }: TreeEntry): boolean => unknown === undefined && stat.kind === 'directory'

/** The same thing, whatever became of its content. */
function isOne(row: SeenRow, entry: TreeEntry): boolean {
  const { kind, stat } = seenValueOf(entry)
  return row.kind === kind && row.inode === stat.inode && row.birthNs === stat.birthNs
}
