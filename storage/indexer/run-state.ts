import { type Replaced, replaced } from '../entries/index.js'
import type { Sql } from '../sql/index.js'

/** What the writer thread remembers of one run of the indexer between its writes. Lost with the process; a run then begins anew. */
export interface RunState {
  readonly replaced: Replaced
  readonly force: boolean
  /** Something was recorded before the run began, so that things can have moved. */
  readonly lookups: boolean
  /** Directories that the walk named before they had an id. */
  readonly refs: Map<number, number>
}

const runs = new WeakMap<Sql, Map<number, RunState>>()

export function openRun(sql: Sql, run: number, options: { force: boolean; lookups: boolean }): void {
  const state: RunState = { ...options, replaced: replaced(run), refs: new Map() }
  const open = runs.get(sql) ?? new Map<number, RunState>()
  runs.set(sql, open.set(run, state))
}

export function runState(sql: Sql, run: number): RunState {
  const state = runs.get(sql)?.get(run)
  if (state === undefined) throw new Error(`run ${run} of the indexer is not open`)
  return state
}

export function closeRun(sql: Sql, run: number): void {
  runs.get(sql)?.delete(run)
}
