/** What came of a batch, on its way out of the thread, or of the device, that placed it. */
import type { PlaceResult, PlaceStep } from './place-steps.js'
import { putStat, type StatColumns, statBuffers, statColumns, statIn } from './stat-columns.js'

export interface PlacedColumns {
  readonly stats: StatColumns
  /** What is more than done with a stat, by its place among the steps, in their order. */
  readonly others: readonly { readonly index: number; readonly result: PlaceResult }[]
}

export function toPlacedColumns(results: readonly PlaceResult[]): PlacedColumns & { transfer: ArrayBuffer[] } {
  const stats = statColumns(results.length)
  const others: { index: number; result: PlaceResult }[] = []
  for (const [index, result] of results.entries()) {
    if (result.done && result.stat !== undefined && result.aside === undefined) putStat(stats, index, result.stat)
    else others.push({ index, result })
  }
  return { stats, others, transfer: statBuffers(stats) }
}

/** @param steps - what was to be done, in the same order */
export function fromPlacedColumns({ stats, others }: PlacedColumns, steps: readonly PlaceStep[]): PlaceResult[] {
  const found = new Map(others.map(({ index, result }) => [index, result]))
  return steps.map(({ path }, i) => found.get(i) ?? { done: true, path, stat: statIn(stats, i) })
}
