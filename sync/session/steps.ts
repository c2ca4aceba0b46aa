/** Operations of a plan as steps that `Endpoint.place` and `placeGroup` take. Pure. */
import { type ContentHash, isWithin, type RelPath } from '../../storage/base/index.js'
import { asidePath, type Expected, type PlaceStep } from '../../storage/files/index.js'
import type { Operation, Present } from '../reconcile/index.js'
import type { Planned } from './rows.js'

/** Where content of an operation lies in the stage of its end. */
export const stagedPath = (id: number): RelPath => `new/${id}` as RelPath

const NO_HASH = '0'.repeat(64) as ContentHash

/** What stands there as far as the plan knows: its change time counts as long as the plan has not renamed it. */
export function expectedOf(entry: Present, path: RelPath): Expected {
  const { stat, at } = entry as Planned
  return at === path ? stat : { ...stat, ctimeNs: undefined }
}

/** @param stage - id of the open stage of that end */
export function stepOf(op: Operation, stage: string): PlaceStep {
  const { path } = op
  const staged = { staging: stage, path: stagedPath(op.id) }
  const aside = (entry: Present) => ({
    staging: stage,
    path: asidePath(entry.kind === 'file' ? entry.hash : NO_HASH, op.id)
  })
  switch (op.kind) {
    case 'create':
      return { kind: 'create', path, from: staged }
    case 'replace':
      return { kind: 'replace', path, from: staged, expected: expectedOf(op.expected, path), aside: aside(op.expected) }
    case 'remove':
      return { kind: 'remove', path, expected: expectedOf(op.expected, path), aside: aside(op.expected) }
    case 'remove-directory':
      return { kind: 'remove-directory', path }
    case 'make-directory':
      return { kind: 'make-directory', path, mode: op.mode, mtimeNs: op.mtimeNs }
    case 'move':
      return { kind: 'move', path, to: op.to, expected: expectedOf(op.expected, path) }
    default:
      throw new TypeError(`an operation ${op.kind} is no step of its own`)
  }
}

export interface GroupStep {
  readonly step: PlaceStep
  /** Operations that this step is. */
  readonly ids: readonly number[]
}

/**
 * A group as `placeGroup` takes it, by the paths from before it: stepping aside and coming back are one move. Undefined where
 * something lies within something else of the group, which one journal cannot tell.
 */
export function groupSteps(group: readonly Operation[], stage: string): readonly GroupStep[] | undefined {
  const names = group.flatMap(op => (op.kind === 'move' ? [op.path, op.to] : [op.path]))
  if (names.some(a => names.some(b => a !== b && isWithin(a, b)))) return undefined
  const steps: GroupStep[] = []
  for (const op of group) {
    if (op.kind === 'park') continue
    if (op.kind !== 'unpark') {
      steps.push({ step: stepOf(op, stage), ids: [op.id] })
      continue
    }
    const parked = group.find(o => o.id === op.parked)
    if (parked?.kind !== 'park') return undefined
    const { path, expected } = parked
    steps.push({
      step: { kind: 'move', path, to: op.path, expected: expectedOf(expected, path) },
      ids: [parked.id, op.id]
    })
  }
  return steps
}
