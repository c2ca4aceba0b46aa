import { adopt } from './adopt.js'
import { Arrangement } from './arrange.js'
import { conflictPaths } from './conflict.js'
import { directoryAttributes } from './directories.js'
import { ENDS, type End } from './entry.js'
import { gather } from './gather.js'
import { Leaves } from './leaves.js'
import { match } from './match.js'
import type { Node } from './node.js'
import type { PlanRow } from './operation.js'
import type { ReconcileOptions, Rows } from './options.js'
import { settleNodes } from './settle.js'
import { Sheet } from './sheet.js'
import { solve } from './solve.js'
import { newCase } from './target.js'

/**
 * What has to be done so that both ends are as the mode wants them, in an order in which it can be done: what is needed before
 * what needs it, removals last and bottom-up. Nothing is asked of the ends and nothing is changed; the same rows give the same
 * plan. Rows of the plan are made as they are asked for.
 */
export function* reconcile(rows: Rows, options: ReconcileOptions): Generator<PlanRow, void> {
  const gathered = gather(rows, options)
  const c = newCase(match(gathered.entangled, options), options, rows, gathered)
  const sheet = new Sheet()
  const leaves = new Leaves(c, sheet)
  if (gathered.deletedDirectories) leaves.markNeeded()
  solve(c)

  const ends: readonly End[] = options.mode === 'bidirectional' ? ENDS : ['destination']
  const arranged: Partial<Record<End, Arrangement>> = {}
  const setBy = { source: new Map<Node, number>(), destination: new Map<Node, number>() }
  for (const end of ends) {
    adopt(c, end)
    arranged[end] = new Arrangement(c, end, sheet)
  }
  const operations = function* (end: End): Generator<PlanRow> {
    const list = arranged[end]!.operations
    for (const operation of list.splice(0)) yield { row: 'operation', operation }
  }

  const attributes = (end: End, when: 'before' | 'after'): Generator<PlanRow> =>
    asRows(directoryAttributes(c, end, sheet, when, setBy[end], node => arranged[end]!.needsOf(node)))

  for (const end of ends) yield* attributes(end, 'before')
  for (const end of ends) {
    arranged[end]!.place()
    yield* operations(end)
  }
  yield* leaves.write()
  for (const end of ends) {
    arranged[end]!.removeLeaves()
    yield* operations(end)
  }
  yield* leaves.remove()
  for (const end of ends) {
    arranged[end]!.removeDirectories()
    yield* operations(end)
  }
  for (const end of ends) yield* attributes(end, 'after')
  yield* settleNodes(c, arranged, setBy)
  for (const { winner, loser, resolution } of c.conflicts) {
    const { path, copy } = conflictPaths(c, winner, loser)
    yield { row: 'conflict', path, resolution, ...(resolution === 'kept-both' && copy !== undefined ? { copy } : {}) }
  }
}

function* asRows(operations: Iterable<Extract<PlanRow, { row: 'operation' }>['operation']>): Generator<PlanRow> {
  for (const operation of operations) yield { row: 'operation', operation }
}
