import type { Sql } from '../sql/index.js'
import { KIND } from './flags.js'
import { MAX_DEPTH } from './lookup.js'
import type { EntryRow } from './row.js'

type Sum = [files: number, dirs: number, bytes: number]

/**
 * What directories hold in all, kept with every change: collected right below each directory during a write, and carried up
 * to the root once at its end, so that a batch of thousands of entries updates each ancestor once.
 */
export class Sums {
  readonly #sql: Sql
  readonly #deltas = new Map<number, Sum>()
  readonly #parents = new Map<number, number>()

  constructor(sql: Sql) {
    this.#sql = sql
  }

  /** One entry more (or less) right below `parent`. */
  add(parent: number, kind: number, size: number, sign: 1 | -1): void {
    if (kind === KIND.DIRECTORY) this.#below(parent, 0, sign, 0)
    else this.#below(parent, sign, 0, kind === KIND.FILE ? sign * size : 0)
  }

  addBytes(parent: number, bytes: number): void {
    if (bytes !== 0) this.#below(parent, 0, 0, bytes)
  }

  addWhole(row: EntryRow, parent: number, sign: 1 | -1): void {
    this.add(parent, row.kind, row.size, sign)
    if (row.kind !== KIND.DIRECTORY) return
    // What is still to be added below `row` in this write goes up from there by its new place in `finish`.
    const below = this.#sql
      .prepare<{ files: number; dirs: number; bytes: number }>(
        'SELECT files, dirs, bytes FROM directories WHERE id = ?'
      )
      .get([row.id])
    if (below !== undefined) this.#below(parent, sign * below.files, sign * below.dirs, sign * below.bytes)
  }

  /** Remembers a directory that was just made. */
  made(directory: number, parent: number): void {
    this.#parents.set(directory, parent)
  }

  /** Also of a directory that was removed in this write, if it was asked for before. */
  parentOf(directory: number): number {
    let parent = this.#parents.get(directory)
    if (parent === undefined) {
      parent =
        this.#sql.prepare<{ parent: number }>('SELECT parent FROM directories WHERE id = ?').get([directory])?.parent ??
        0
      this.#parents.set(directory, parent)
    }
    return parent
  }

  reparented(directory: number, parent: number): void {
    this.#sql.prepare('UPDATE directories SET parent = ? WHERE id = ?').run([parent, directory])
    this.#parents.set(directory, parent)
  }

  finish(): void {
    const totals = new Map<number, Sum>()
    for (const [directory, [files, dirs, bytes]] of this.#deltas) {
      if (files === 0 && dirs === 0 && bytes === 0) continue
      for (let at = directory, depth = 0; at > 0 && depth < MAX_DEPTH; at = this.parentOf(at), depth++)
        addTo(totals, at, files, dirs, bytes)
    }
    const add = this.#sql.prepare(
      'UPDATE directories SET files = files + ?, dirs = dirs + ?, bytes = bytes + ? WHERE id = ?'
    )
    for (const [id, [files, dirs, bytes]] of totals) add.run([files, dirs, bytes, id])
  }

  #below(parent: number, files: number, dirs: number, bytes: number): void {
    if (parent > 0) addTo(this.#deltas, parent, files, dirs, bytes)
  }
}

function addTo(sums: Map<number, Sum>, id: number, files: number, dirs: number, bytes: number): void {
  const sum = sums.get(id)
  if (sum === undefined) sums.set(id, [files, dirs, bytes])
  else {
    sum[0] += files
    sum[1] += dirs
    sum[2] += bytes
  }
}
