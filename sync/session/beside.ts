/** Compares what a walk meets with the rows of the snapshot, both in tree order. Runs where the walk runs. */
import { pathBytes, type RelPath } from '../../storage/base/index.js'
import type { Sql, SqlValue } from '../../storage/sql/index.js'
import type { TreeEntry } from '../endpoints/index.js'
import type { End } from '../reconcile/index.js'
import { keyPath, pathKey } from './path-key.js'
import { endNumber, type KeyRange, rangeBelow, signed } from './seen.js'

/** What is otherwise than the snapshot has it. */
export interface Differences {
  readonly changed: readonly TreeEntry[]
  /** Which of `changed` mean nothing to a plan: a directory with another time. */
  readonly quiet: readonly number[]
  readonly gone: readonly RelPath[]
}

const KINDS = ['file', 'directory', 'symlink', 'unknown'] as const
const PAGE = 1_000
/** Names that are gone, told in one: each is a text that goes from thread to thread. */
const GONE_AT_ONCE = 4_096
const [PATH, FACTS, SIZE, MTIME, CTIME, BIRTH, INODE, TARGET, REASON] = [0, 1, 2, 3, 4, 5, 6, 7, 8] as const
/** What is small goes as one number: kind, whether a hash is vouched for, whether it is a directory, and the mode. */
const COLUMNS =
  'path, kind | ((hash IS NOT NULL AND racy = 0) << 2) | (directory << 3) | (mode << 4), size, mtime, ctime, birth, inode, target, reason'
const [KIND_BITS, VOUCHED_BIT, DIRECTORY_BIT, MODE_SHIFT] = [3, 4, 8, 4]

/** The rows at and below a path of one end, gone along beside a walk of the same. */
export class Beside {
  readonly #page: (after: Uint8Array) => SqlValue[][]
  readonly #statsOnly: boolean
  #rows: SqlValue[][]
  #next = 0

  /**
   * @param options.after - of a walk that goes on: where it stood
   * @param options.statsOnly - nobody asks for content: no hash is missing
   */
  constructor(
    sql: Sql,
    at: End,
    path: RelPath,
    {
      after,
      statsOnly = false
    }: { readonly after?: RelPath | undefined; readonly statsOnly?: boolean | undefined } = {}
  ) {
    this.#statsOnly = statsOnly
    const { to }: KeyRange = rangeBelow(path)
    const page = sql.prepare<never>(
      `SELECT ${COLUMNS} FROM seen WHERE at = ? AND path > ? AND path < ? ORDER BY path LIMIT ${PAGE}`,
      { raw: true, bigint: true }
    )
    this.#page = after => page.all([endNumber(at), after, to]) as unknown as SqlValue[][]
    if (after !== undefined) {
      this.#rows = this.#page(pathKey(after))
      return
    }
    const own = sql.prepare<never>(`SELECT ${COLUMNS} FROM seen WHERE at = ? AND path = ?`, { raw: true, bigint: true })
    const row = own.get([endNumber(at), pathKey(path)]) as SqlValue[] | undefined
    this.#rows = row === undefined ? this.#page(pathKey(path)) : [row]
  }

  /** In pieces, for a million names may be gone between two that are there. @param entries - the next ones of the walk */
  *next(entries: readonly TreeEntry[]): Generator<Differences> {
    let [changed, quiet, gone]: [TreeEntry[], number[], RelPath[]] = [[], [], []]
    for (const entry of entries) {
      const key = pathKey(entry.path)
      let row = this.#head()
      for (; row !== undefined; row = this.#head()) {
        const order = Buffer.compare(row[PATH] as Uint8Array, key)
        if (order >= 0) {
          if (order > 0) row = undefined
          break
        }
        gone.push(keyPath(row[PATH] as Uint8Array))
        this.#next++
        if (gone.length < GONE_AT_ONCE) continue
        yield { changed, quiet, gone }
        ;[changed, quiet, gone] = [[], [], []]
      }
      if (row !== undefined) this.#next++
      if (row !== undefined && isSame(row, entry, this.#statsOnly)) continue
      if (row !== undefined && isAlike(row, entry)) quiet.push(changed.length)
      changed.push(entry)
    }
    yield { changed, quiet, gone }
  }

  /** What comes after all that was walked. */
  *rest(): Generator<Differences> {
    let gone: RelPath[] = []
    for (let row = this.#head(); row !== undefined; row = this.#head()) {
      gone.push(keyPath(row[PATH] as Uint8Array))
      this.#next++
      if (gone.length < GONE_AT_ONCE) continue
      yield { changed: [], quiet: [], gone }
      gone = []
    }
    if (gone.length > 0) yield { changed: [], quiet: [], gone }
  }

  #head(): SqlValue[] | undefined {
    if (this.#next < this.#rows.length) return this.#rows[this.#next]
    const last = this.#rows.at(-1)
    if (last === undefined) return undefined
    this.#rows = this.#page(last[PATH] as Uint8Array)
    this.#next = 0
    return this.#rows[0]
  }
}

const factsOf = (row: readonly SqlValue[]): number => Number(row[FACTS])
const kindOf = (facts: number): (typeof KINDS)[number] => KINDS[facts & KIND_BITS]!

/** The same thing with the same content, as far as a look can tell; a file whose hash nothing vouches for is not. */
function isSame(row: readonly SqlValue[], { stat, unknown, target }: TreeEntry, statsOnly: boolean): boolean {
  const facts = factsOf(row)
  const kind = kindOf(facts)
  if (kind === 'unknown') return isUnknownAlike(row, stat.kind, unknown)
  if (unknown !== undefined || kind !== stat.kind || !isOne(row, stat)) return false
  if (row[MTIME] !== stat.mtimeNs || row[CTIME] !== stat.ctimeNs) return false
  if (kind === 'file') return Number(row[SIZE]) === stat.sizeBytes && (statsOnly || (facts & VOUCHED_BIT) !== 0)
  return (
    kind === 'directory' || (target !== undefined && Buffer.compare(row[TARGET] as Uint8Array, pathBytes(target)) === 0)
  )
}

/** Alike in what a plan looks at. */
function isAlike(row: readonly SqlValue[], { stat, unknown }: TreeEntry): boolean {
  return kindOf(factsOf(row)) === 'directory' && unknown === undefined && stat.kind === 'directory' && isOne(row, stat)
}

const isOne = (row: readonly SqlValue[], { inode, birthNs, mode }: TreeEntry['stat']): boolean =>
  row[INODE] === signed(inode) && row[BIRTH] === birthNs && factsOf(row) >> MODE_SHIFT === mode

function isUnknownAlike(row: readonly SqlValue[], kind: string, unknown: TreeEntry['unknown']): boolean {
  if (unknown === undefined && kind !== 'other') return false
  const directory = (factsOf(row) & DIRECTORY_BIT) !== 0
  return row[REASON] === (unknown ?? 'special') && directory === (kind === 'directory')
}
