/** A large directory of `vectors.db` that was renamed, whose rows follow later: between a rename and its plan nobody waits for them. */
import { isWithin, type RelPath } from '../../storage/base/index.js'
import type { Sql } from '../../storage/sql/index.js'
import { RENAME_LATER_FROM } from './hints.js'
import { keyPath, keysBelow, pathKey } from './path-key.js'
import { movedAtOnce, type Rename } from './renames.js'

/** The renames of the rows of one folder. Whoever reads or writes a row by its path asks `settleFor` first. */
export class VectorRenames {
  readonly #sql: Sql
  readonly #folder: number
  #waiting: Rename | undefined

  constructor(sql: Sql, folder: number) {
    this.#sql = sql
    this.#folder = folder
    const row = sql
      .prepare<{ path: Uint8Array; to_path: Uint8Array }>('SELECT path, to_path FROM renamed WHERE folder = ?')
      .get([folder])
    this.#waiting = row && { path: keyPath(row.path), to: keyPath(row.to_path) }
  }

  /** What lies below either name is where it belongs from now on, if this path is among it. */
  settleFor(path: RelPath): void {
    const waiting = this.#waiting
    if (waiting === undefined || path === waiting.path || path === waiting.to) return
    if (isWithin(path, waiting.path) || isWithin(path, waiting.to)) this.settle()
  }

  settle(): void {
    const waiting = this.#waiting
    if (waiting === undefined) return
    this.#waiting = undefined
    this.#sql.prepare('DELETE FROM renamed WHERE folder = ?').run([this.#folder])
    // The directory itself has its new name, and another one may have the old.
    this.#change(pathKey(waiting.path), pathKey(waiting.to), 'below')
  }

  /** What is there goes along with its directories; all at once, for names may swap. */
  move(moves: readonly Rename[]): void {
    if (moves.length === 0) return
    this.settle()
    const [first] = moves
    if (moves.length === 1 && this.#isLarge(first!)) {
      this.#moveLater(first!)
      return
    }
    movedAtOnce(
      (from, to) => {
        this.#change(from, to, 'at')
        this.#change(from, to, 'below')
      },
      moves.map(({ path, to }) => [pathKey(path), pathKey(to)])
    )
  }

  #isLarge({ path, to }: Rename): boolean {
    if (isWithin(path, to) || isWithin(to, path)) return false
    const below = this.#sql
      .prepare('SELECT path FROM entries WHERE folder = ? AND path >= ? AND path < ? LIMIT ?')
      .all([this.#folder, ...keysBelow(pathKey(path)), RENAME_LATER_FROM])
    return below.length === RENAME_LATER_FROM
  }

  #moveLater({ path, to }: Rename): void {
    const [from, key] = [pathKey(path), pathKey(to)]
    this.#change(from, key, 'at')
    this.#sql.prepare('INSERT INTO renamed VALUES (?, ?, ?)').run([this.#folder, from, key])
    this.#waiting = { path, to }
  }

  #change(from: Uint8Array, to: Uint8Array, what: 'at' | 'below'): void {
    const where = what === 'at' ? 'path = ?' : 'path >= ? AND path < ?'
    const keys = what === 'at' ? [from] : keysBelow(from)
    this.#sql
      .prepare(
        `UPDATE OR REPLACE entries SET path = CAST(? || substr(path, ?) AS BLOB)
         WHERE folder = ? AND gone IS NULL AND ${where}`
      )
      .run([to, from.length + 1, this.#folder, ...keys])
  }
}
