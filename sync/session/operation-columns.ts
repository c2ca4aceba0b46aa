/** Operations as they stand in the file of a plan and cross between threads: as columns (see `StatColumns`). */
import type { RelPath } from '../../storage/base/index.js'
import { ENDS, type Leaf, type Operation, otherEnd, type Reason, type Version } from '../reconcile/index.js'
import { fromPlannedColumns, type PlannedColumns, toPlannedColumns } from './planned-columns.js'

export interface OperationColumns {
  /** The smallest first. */
  readonly ids: Float64Array<ArrayBuffer>
  /** Joined by NUL, which no path holds. */
  readonly paths: string
  /** Each once. */
  readonly reasons: readonly Reason[]
  /** Five each: the kind, the end, the place of the reason, which of mode and time there are, how many others it needs. */
  readonly facts: Uint8Array<ArrayBuffer>
  readonly modes: Uint16Array<ArrayBuffer>
  readonly mtimes: BigInt64Array<ArrayBuffer>
  /** Of all of them, one after the other. */
  readonly needs: Float64Array<ArrayBuffer>
  /** What they bring. */
  readonly content: PlannedColumns
  /** By their places. */
  readonly versions: ReadonlyMap<number, Version>
  /** Those that say more, as they are: few of a plan that brings much. */
  readonly others: ReadonlyMap<number, Operation>
}

const KINDS = ['create', 'make-directory', 'attributes'] as const
type Plain = Extract<Operation, { kind: (typeof KINDS)[number] }>
const [MODE, TIME] = [1, 2]
const FACTS = 5
/** In a byte. */
const MAX_NEEDS = 255

export function toOperationColumns(ops: readonly Operation[]): OperationColumns {
  const { length } = ops
  const [ids, facts] = [new Float64Array(length), new Uint8Array(FACTS * length)]
  const [modes, mtimes] = [new Uint16Array(length), new BigInt64Array(length)]
  const [versions, others] = [new Map<number, Version>(), new Map<number, Operation>()]
  const paths: RelPath[] = []
  const reasons: Reason[] = []
  const needs: number[] = []
  const content: (Leaf | undefined)[] = []
  for (let i = 0; i < length; i++) {
    const op = ops[i]!
    ids[i] = op.id
    paths.push(op.path)
    content.push(op.kind === 'create' ? op.content : undefined)
    if (!isPlain(op)) {
      others.set(i, op)
      continue
    }
    const { kind, end, reason, mode, mtimeNs } = op
    if (!reasons.includes(reason)) reasons.push(reason)
    facts[FACTS * i] = KINDS.indexOf(kind)
    facts[FACTS * i + 1] = ENDS.indexOf(end)
    facts[FACTS * i + 2] = reasons.indexOf(reason)
    facts[FACTS * i + 3] = (mode === undefined ? 0 : MODE) | (mtimeNs === undefined ? 0 : TIME)
    facts[FACTS * i + 4] = op.needs.length
    if (mode !== undefined) modes[i] = mode
    if (mtimeNs !== undefined) mtimes[i] = mtimeNs
    for (const need of op.needs) needs.push(need)
    if (op.kind !== 'attributes' && op.version !== undefined) versions.set(i, op.version)
  }
  return {
    ...{ ids, paths: paths.join(NUL), reasons, facts, modes, mtimes, versions, others },
    ...{ needs: Float64Array.from(needs), content: toPlannedColumns(content, paths) }
  }
}

/** There is nothing to it that the columns do not tell. */
function isPlain(op: Operation): op is Plain {
  if (op.group !== undefined || op.needs.length > MAX_NEEDS) return false
  if (op.kind === 'create') return op.from.end !== op.end && op.from.path === op.path && op.from.later === undefined
  return op.kind === 'make-directory' || (op.kind === 'attributes' && op.seen === undefined)
}

export function fromOperationColumns(columns: OperationColumns): Operation[] {
  const { ids, reasons, facts, modes, mtimes, needs, versions, others } = columns
  const paths = columns.paths.split(NUL) as RelPath[]
  const content = fromPlannedColumns(columns.content, paths)
  const ops: Operation[] = []
  let needsAt = 0
  for (let i = 0; i < ids.length; i++) {
    const other = others.get(i)
    if (other !== undefined) {
      ops.push(other)
      continue
    }
    const [id, end, path] = [ids[i]!, ENDS[facts[FACTS * i + 1]!]!, paths[i]!]
    const [reason, marks, count] = [reasons[facts[FACTS * i + 2]!]!, facts[FACTS * i + 3]!, facts[FACTS * i + 4]!]
    const needed: number[] = []
    for (const last = needsAt + count; needsAt < last; needsAt++) needed.push(needs[needsAt]!)
    const step: Step = { id, end, path, reason, needs: needed, marks, mode: modes[i]!, mtimeNs: mtimes[i]! }
    ops.push(made(KINDS[facts[FACTS * i]!]!, step, content[i] as Leaf, versions.get(i)))
  }
  return ops
}

interface Step extends Pick<Plain, 'id' | 'end' | 'path' | 'reason' | 'needs'> {
  /** MODE and TIME. */
  readonly marks: number
  readonly mode: number
  readonly mtimeNs: bigint
}

/** Written out, for there are as many of them as operations. */
function made(
  kind: Plain['kind'],
  { id, end, path, reason, needs, marks, mode, mtimeNs }: Step,
  content: Leaf,
  version: Version | undefined
): Operation {
  if (kind === 'attributes') {
    const set = { ...((marks & MODE) !== 0 && { mode }), ...((marks & TIME) !== 0 && { mtimeNs }) }
    return { kind, id, end, path, reason, needs, ...set }
  }
  const op: Plain & { version?: Version } =
    kind === 'create'
      ? { kind, id, end, path, reason, needs, content, mode, mtimeNs, from: { end: otherEnd(end), path } }
      : { kind, id, end, path, reason, needs, mode, mtimeNs }
  if (version !== undefined) op.version = version
  return op
}

const NUL = '\0'
