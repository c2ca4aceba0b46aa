/** Operations of a plan as steps that `Endpoint.place` and `placeGroup` take. Pure. */
import { type ContentHash, comparePaths, isWithin, type RelPath } from '../../storage/base/index.js'
import { asidePath, type Expected, type PlaceStep } from '../../storage/files/index.js'
import type { Operation, Present } from '../reconcile/index.js'
import type { Step } from './achieved.js'
import type { Planned } from './planned-columns.js'

const NO_HASH = '0'.repeat(64) as ContentHash

/** What stands there as far as the plan knows: its change time counts as long as the plan has not renamed it. */
export function expectedOf(entry: Present, path: RelPath): Expected {
  const { stat, at } = entry as Planned
  return at === path ? stat : { ...stat, ctimeNs: undefined }
}

/** @param stage - id of the open stage of that end @param name - where the content of the operation lies in it */
export function stepOf(op: Operation, stage: string, name: RelPath): PlaceStep {
  const { path } = op
  const staged = { staging: stage, path: name }
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

/**
 * A group as `placeGroup` takes it: what is taken by the paths from before it, what gets a name by those from after it, while the
 * plan's are those of the moment. Stepping aside and coming back are one move.
 */
export function groupSteps(
  group: readonly Operation[],
  stage: string,
  nameOf: (op: Operation) => RelPath
): readonly Step[] {
  const names = new NamesThrough(group)
  const moves = new Map<RelPath, { readonly ops: Operation[]; to: RelPath; readonly expected: Present }>()
  const steps: Step[] = []
  group.forEach((op, i) => {
    if (op.kind === 'move' || op.kind === 'park') {
      const path = names.before(op.path, i)
      const known = moves.get(path) ?? { ops: [], to: path, expected: op.expected }
      if (op.kind === 'move') known.to = names.after(op.to, i)
      known.ops.push(op)
      moves.set(path, known)
    } else if (op.kind === 'unpark') {
      const known = moves.get(names.before(asideName(op.parked), i))!
      known.to = names.after(op.path, i)
      known.ops.push(op)
    } else {
      const before = names.before(op.path, i)
      // What is replaced has moved before that: its old content leaves the old name, its new one gets the new name.
      const moved = op.kind === 'replace' ? (moves.get(before)?.ops ?? []) : []
      if (moved.length > 0) moves.delete(before)
      steps.push(...placed({ op, moved }, before, names.after(op.path, i), stepOf(op, stage, nameOf(op))))
    }
  })
  for (const [path, { ops, to, expected }] of moves)
    steps.push({ step: { kind: 'move', path, to, expected: expectedOf(expected, path) }, ops })
  const inOrder = steps.sort((a, b) => a.ops.at(-1)!.id - b.ops.at(-1)!.id)
  // A folder before what comes into it: so they are written down, and taken back last first.
  return isNested(inOrder) ? inOrder.sort((a, b) => comparePaths(newName(a.step), newName(b.step))) : inOrder
}

function isNested(steps: readonly Step[]): boolean {
  const names = steps.flatMap(({ step }) => [step.path, newName(step)])
  return names.some(a => names.some(b => a !== b && isWithin(a, b)))
}

/**
 * One operation that gives or takes content. Where a folder around it moves in the same group, its name is another afterwards.
 * @param moved - the operations by which the file itself moves, before it is replaced
 */
function placed(
  { op, moved }: { readonly op: Operation; readonly moved: readonly Operation[] },
  before: RelPath,
  after: RelPath,
  step: PlaceStep
): Step[] {
  if (step.kind === 'create' || step.kind === 'make-directory') return [{ step: { ...step, path: after }, ops: [op] }]
  if (op.kind !== 'replace' || step.kind !== 'replace' || (before === after && moved.length === 0))
    return [{ step: { ...step, path: before } as PlaceStep, ops: [op] }]
  const { id, end, reason, needs, expected } = op
  const removal: Operation = { kind: 'remove', id, end, path: op.path, reason, needs, expected }
  return [
    {
      step: { kind: 'remove', path: before, expected: expectedOf(expected, before), aside: step.aside },
      ops: [removal]
    },
    { step: { kind: 'create', path: after, from: step.from }, ops: [...moved, op] }
  ]
}

const newName = (step: PlaceStep): RelPath => (step.kind === 'move' ? step.to : step.path)

/** Stands for the private place of what stepped aside: no path begins so. */
const asideName = (id: number): RelPath => `\0${id}` as RelPath

/** What a path of the moment was before all renames of a group, and is after them. */
class NamesThrough {
  readonly #renames: readonly ({ readonly from: RelPath; readonly to: RelPath } | undefined)[]

  constructor(group: readonly Operation[]) {
    this.#renames = group.map(op => {
      if (op.kind === 'move') return { from: op.path, to: op.to }
      if (op.kind === 'park') return { from: op.path, to: asideName(op.id) }
      return op.kind === 'unpark' ? { from: asideName(op.parked), to: op.path } : undefined
    })
  }

  /** @param at - number of the operation that names it */
  before(path: RelPath, at: number): RelPath {
    return this.#renames.slice(0, at).reduceRight((p, r) => (r === undefined ? p : renamed(p, r.to, r.from)), path)
  }

  after(path: RelPath, at: number): RelPath {
    return this.#renames.slice(at + 1).reduce((p, r) => (r === undefined ? p : renamed(p, r.from, r.to)), path)
  }
}

const renamed = (path: RelPath, from: RelPath, to: RelPath): RelPath =>
  isWithin(path, from) ? ((to + path.slice(from.length)) as RelPath) : path
