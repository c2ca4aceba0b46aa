/** Batches and what came of them on the wire: names joined, the numbers of stats as bytes beside them, and what few steps have as values. */
import {
  fromPlacedColumns,
  fromStepColumns,
  type PlaceResult,
  type PlaceStep,
  type StepColumns,
  toPlacedColumns,
  toStepColumns
} from '../../storage/files/index.js'
import { wireError } from '../wire/index.js'
import type { Output } from './calls.js'
import { areAscending, areNames } from './columns.js'
import { statsFromWire, statsToWire } from './stat-columns.js'
import type { WireSteps } from './values.js'

/** Without sizes: each end looks for itself at what is to get a name there. */
export function stepsToWire(steps: readonly PlaceStep[]): WireSteps {
  const { sizes: _, others, ...columns } = toStepColumns(steps)
  return { ...columns, others: [...others] }
}

/** @throws {SpacedriveError} MALFORMED when it is not what `stepsToWire` makes: every name is looked at */
export function stepsFromWire({ others, ...columns }: WireSteps): PlaceStep[] {
  const malformed = (why: string) => wireError('MALFORMED', `a batch is not in order: ${why}`)
  const { count, staging, paths, staged } = columns
  const named = count - others.length
  if (!areAscending(others, count)) throw malformed('an index')
  if (named > 0 && staging === undefined) throw malformed('its staging place')
  for (const names of [paths, staged]) if (!areNames(names, named)) throw malformed('a name')
  const sizes = new Float64Array(named).fill(-1)
  return fromStepColumns({ ...columns, others, sizes } satisfies StepColumns)
}

export function resultsToWire(results: readonly PlaceResult[]): { values: Output<'place'>; data: Uint8Array[] } {
  const { stats, others } = toPlacedColumns(results)
  return { values: { count: results.length, others: [...others] }, data: statsToWire(stats) }
}

/** Something of it was done. */
export const isAnyDone = ({ count, others }: Output<'place'>): boolean =>
  count > others.length || others.some(({ result }) => result.done)

/** @throws {SpacedriveError} MALFORMED when it is not what `resultsToWire` makes of results of these steps */
export function resultsFromWire(
  steps: readonly PlaceStep[],
  { count, others }: Output<'place'>,
  data: Uint8Array
): PlaceResult[] {
  const malformed = (why: string) => wireError('MALFORMED', `the results of a batch are not in order: ${why}`)
  if (count !== steps.length) throw malformed('their number')
  const stats = statsFromWire(count, data)
  if ('refused' in stats) throw malformed(stats.refused)
  if (!areAscending(others, count)) throw malformed('an index')
  if (others.some(({ index, result }) => result.path !== steps[index]!.path)) throw malformed('a path')
  return fromPlacedColumns({ stats, others }, steps)
}
