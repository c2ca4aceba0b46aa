/** What came of a batch: for the archive, the snapshot and whoever writes down what was done. */
import type { Problem, RelPath } from '../../storage/base/index.js'
import type { EntryStat, PlaceResult, PlaceStep } from '../../storage/files/index.js'
import type { ContentEntry } from '../endpoints/index.js'
import type { Operation } from '../reconcile/index.js'
import type { Rename } from './renames.js'

export interface Done {
  readonly op: Operation
  /** What was done, with its paths; of the operations that are one step the last has it. */
  readonly step?: PlaceStep | undefined
  readonly stat: EntryStat | undefined
}

/** A step, and the operations that it is: stepping aside and coming back are one. */
export interface Step {
  readonly step: PlaceStep
  readonly ops: readonly Operation[]
}

export interface Achieved {
  readonly done: readonly Done[]
  readonly failed: readonly { readonly op: Operation; readonly problem: Problem | undefined }[]
  readonly rows: readonly ContentEntry[]
  readonly moved: readonly Rename[]
  readonly gone: readonly RelPath[]
}

export function achievedOf(steps: readonly Step[], results: readonly PlaceResult[]): Achieved {
  const done: Done[] = []
  const failed: { op: Operation; problem: Problem | undefined }[] = []
  const rows: ContentEntry[] = []
  const moved: Rename[] = []
  const gone: RelPath[] = []
  for (const [i, result] of results.entries()) {
    const { step, ops } = steps[i]!
    const last = ops.at(-1)!
    if (!result.done) {
      for (const op of ops) failed.push({ op, problem: op === last ? result.problem : undefined })
      continue
    }
    const { stat } = result
    for (const op of ops) done.push({ op, stat, step: op === last ? step : undefined })
    if (step.kind === 'remove' || step.kind === 'remove-directory') gone.push(step.path)
    if (step.kind === 'move') moved.push({ path: step.path, to: step.to })
    else if (stat !== undefined) rows.push(rowOf(last, step.path, stat))
  }
  return { done, failed, rows, moved, gone }
}

/** @param path - where it lies now: that of the operation may be of a moment within a group */
function rowOf(op: Operation, path: RelPath, stat: EntryStat): ContentEntry {
  const content = op.kind === 'create' || op.kind === 'replace' ? op.content : undefined
  if (content?.kind === 'file') return { path, stat, hash: content.hash }
  if (content?.kind === 'symlink') return { path, stat, target: content.target }
  return { path, stat }
}
