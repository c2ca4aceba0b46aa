import type { RelPath } from '../../storage/base/index.js'
import { type ArchiveEntry, ENDS, type Entry, type Row, versionOf } from '../reconcile/index.js'
import { fromPlannedColumns, type PlannedColumns, toPlannedColumns } from './planned-columns.js'

interface RowColumns {
  readonly paths: readonly RelPath[]
  readonly bases: ReadonlyMap<number, ArchiveEntry>
  readonly source: PlannedColumns
  readonly destination: PlannedColumns
}

/** Rows become columns so many at a time. */
const PAGE = 250

/** Rows for a further pass, as columns: a fifth of what they take as values. */
export class KeptRows {
  readonly #pages: RowColumns[] = []
  #rows: Row[] = []
  #weight = 0

  get count(): number {
    return PAGE * this.#pages.length + this.#rows.length
  }

  /** What they take: a row is one, and what an end says of its versions, which is a value of its own, another one. */
  get weight(): number {
    return this.#weight
  }

  add(row: Row): void {
    this.#weight++
    for (const end of ENDS) if (versionOf(row[end]) !== undefined) this.#weight++
    if (this.#rows.push(row) < PAGE) return
    this.#pages.push(toRowColumns(this.#rows))
    this.#rows = []
  }

  *[Symbol.iterator](): Generator<Row> {
    for (const page of this.#pages) yield* fromRowColumns(page)
    yield* this.#rows
  }
}

function toRowColumns(rows: readonly Row[]): RowColumns {
  const paths = rows.map(row => row.path)
  const bases = new Map<number, ArchiveEntry>()
  for (const [i, { base }] of rows.entries()) if (base !== undefined) bases.set(i, base)
  const columns = (of: (row: Row) => Entry | undefined): PlannedColumns => toPlannedColumns(rows.map(of), paths)
  return { paths, bases, source: columns(row => row.source), destination: columns(row => row.destination) }
}

function* fromRowColumns({ paths, bases, ...ends }: RowColumns): Generator<Row> {
  const [source, destination] = [fromPlannedColumns(ends.source, paths), fromPlannedColumns(ends.destination, paths)]
  for (let i = 0; i < paths.length; i++) {
    const row: { -readonly [K in keyof Row]: Row[K] } = { path: paths[i]! }
    const base = bases.get(i)
    if (base !== undefined) row.base = base
    if (source[i] !== undefined) row.source = source[i]
    if (destination[i] !== undefined) row.destination = destination[i]
    yield row
  }
}
