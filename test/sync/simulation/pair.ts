import { parentOf, type RelPath } from '../../../storage/base/index.js'
import {
  type ArchiveChange,
  applyChanges,
  ENDS,
  type End,
  foldResults,
  type Leaf,
  type Operation,
  otherEnd,
  type PlanRow,
  type ReconcileOptions,
  reconcile,
  type Settle,
  sameContent,
  type Trace
} from '../../../sync/reconcile/index.js'
import type { Disk, Ends } from '../reconcile/model.js'
import { OPTIONS, rowsOf } from '../reconcile/session.js'
import type { Device, Known } from './device.js'

export type SessionEnd = 'done' | 'rolled-back' | 'halted'

/** What a session has done so far: what a crash leaves is what the ends and the database hold. */
export interface Session {
  readonly pair: Pair
  readonly steps: Generator<string, SessionEnd>
  /** Once it planned. */
  plan: readonly PlanRow[]
  operations: readonly Operation[]
  /** What both ends held when it looked at them. */
  seen: Ends | undefined
  /** No archive: the first run, or something was put back. */
  union: boolean
}

/** A sync between the folders of two devices. The device of the source drives: it holds what is known. */
export class Pair {
  /** What it is called in the markers. */
  #uuid: string
  #added = 0
  /** A person said to go on although something was put back. */
  accepted = false
  /** A person said yes to a first mirror that takes something away. */
  forced = false

  constructor(
    readonly name: string,
    readonly ends: Readonly<Record<End, Device>>,
    readonly options: ReconcileOptions = OPTIONS
  ) {
    this.#uuid = name
  }

  get known(): Known {
    return this.ends.source.known.get(this)!
  }

  set known(known: Known) {
    this.ends.source.known.set(this, known)
  }

  get busy(): boolean {
    return ENDS.some(end => this.ends[end].busy)
  }

  /** `sync remove` and `sync add`: another sync to the markers. */
  addAgain(): void {
    this.#uuid = `${this.name}+${++this.#added}`
    this.accepted = false
  }

  get isOneWay(): boolean {
    return this.options.mode !== 'bidirectional'
  }

  session(): Session {
    const session: Session = {
      ...{ pair: this, plan: [], operations: [], seen: undefined, union: false },
      steps: undefined as never
    }
    return Object.assign(session, { steps: this.#run(session) })
  }

  /** SYNC.md 6 and 7: a crash may come wherever it yields. */
  *#run(session: Session): Generator<string, SessionEnd> {
    const { source, destination } = this.ends
    const writable: readonly End[] = this.isOneWay ? ['destination'] : ENDS
    const counters = writable.map(end => this.ends[end].markers.get(this.#uuid) ?? 0)
    const { batch, begun } = this.known
    if (!counters.every(n => n >= batch && n <= begun)) {
      if (!this.accepted) return 'rolled-back'
      const above = Math.max(batch, begun, ...counters)
      this.known = { archive: new Map(), agreed: false, batch, begun: above }
    }
    yield 'counters'
    const ends: Ends = { source: source.disk.copy(), destination: destination.disk }
    yield 'one end'
    ends.destination = destination.disk.copy()
    session.seen = ends
    session.union = !this.known.agreed
    // What a first run wrote down that did not come to its end.
    if (session.union) this.known = { ...this.known, archive: new Map() }
    const rows = rowsOf(this.known.archive, ends)
    const sourceEmpty = ends.source.items.size === 0
    const options = { ...this.options, archive: this.known.agreed, sourceEmpty, union: this.accepted }
    session.plan = [...reconcile(rows, options)]
    session.operations = session.plan.flatMap(r => (r.row === 'operation' ? [r.operation] : []))
    const settles = session.plan.flatMap((r): Settle[] => (r.row === 'settle' ? [r.settle] : []))
    yield 'planned'
    const takesAway = session.operations.some(op => op.kind === 'remove' || op.kind === 'replace')
    if (this.options.mode === 'mirror' && session.union && !this.accepted && !this.forced && takesAway) return 'halted'

    const n = Math.max(this.known.batch, this.known.begun) + 1
    const counted = session.operations.length > 0 || this.accepted
    if (counted) {
      this.known = { ...this.known, begun: n }
      yield 'begun'
      for (const end of writable) {
        this.ends[end].markers.set(this.#uuid, n)
        yield 'marked'
      }
    }
    const achieved = new Map<number, Trace>()
    const pages = new Pages(settles, achieved)
    const write = (changes: readonly ArchiveChange[]): void => {
      this.known = { ...this.known, archive: applyChanges(this.known.archive, changes) }
    }
    // Of a first run the archive is written while it goes on; it counts from its end.
    for (const { did, decided } of execute(session.operations, this.ends, achieved)) {
      if (session.union) write(pages.behind(decided))
      yield did
    }
    // Pages of the archive are transactions of their own: forgotten, moved, put.
    for (const kind of KINDS) {
      write(pages.rest(kind))
      yield 'committed'
    }
    const agreed = this.known.agreed || pages.agreed
    this.known = { ...this.known, agreed, ...(counted && { batch: n }) }
    this.accepted = false
    this.forced = false
    return 'done'
  }
}

const KINDS: readonly Settle['kind'][] = ['forget', 'move', 'put']

/** What a session writes into its archive, in the order of its plan: what is put of operations that are decided may be written before. */
class Pages {
  readonly #achieved: ReadonlyMap<number, Trace>
  readonly #left: Record<Settle['kind'], Settle[]>
  /** Something was written that both ends have. */
  agreed = false

  constructor(settles: readonly Settle[], achieved: ReadonlyMap<number, Trace>) {
    this.#achieved = achieved
    const of = (kind: Settle['kind']): Settle[] => settles.filter(s => s.kind === kind)
    this.#left = { forget: of('forget'), move: of('move'), put: of('put') }
  }

  behind(decided: number): readonly ArchiveChange[] {
    const { forget, move, put } = this.#left
    if (forget.length + move.length > 0) return []
    const first = put.findIndex(settle => lastOf(settle) > decided)
    return this.#changes(put.splice(0, first === -1 ? put.length : first))
  }

  rest(kind: Settle['kind']): readonly ArchiveChange[] {
    return this.#changes(this.#left[kind].splice(0))
  }

  #changes(settles: readonly Settle[]): readonly ArchiveChange[] {
    const { changes } = foldResults(settles, id => this.#achieved.get(id))
    this.agreed ||= changes.some(c => c.change === 'put')
    return changes
  }
}

/** The last operation that it speaks of. */
function lastOf(settle: Settle): number {
  const shown = settle.kind === 'put' ? [settle.source, settle.destination] : []
  return Math.max(-1, ...settle.needs, ...shown.map(s => (s !== undefined && 'by' in s ? s.by : -1)))
}

/** Does it unit by unit: one operation, or a group, which the journal makes all or nothing. Something else may happen between. */
function* execute(
  operations: readonly Operation[],
  devices: Readonly<Record<End, Device>>,
  achieved: Map<number, Trace>
): Generator<{ readonly did: string; readonly decided: number }> {
  const blocked: Record<End, Set<string>> = { source: new Set(), destination: new Set() }
  for (let i = 0; i < operations.length; ) {
    let to = i + 1
    const { group, end } = operations[i]!
    while (group !== undefined && operations[to]?.group === group) to++
    const unit = operations.slice(i, to)
    i = to
    const able = unit.every(op => op.needs.every(n => achieved.has(n) || unit.some(u => u.id === n && u.id < op.id)))
    const clear = unit.every(op => op.kind !== 'remove-directory' || !blocked[end].has(op.path))
    const done = able && clear && tryUnit(unit, devices[end].disk, devices[otherEnd(end)].disk)
    if (done) for (const [id, trace] of done) achieved.set(id, trace)
    else for (const op of unit) for (let p = op.path; p !== ''; p = parentOf(p)) blocked[end].add(p)
    const did = `did ${unit.map(op => `${op.end} ${op.kind} ${op.path}`).join(', ')}`
    yield { did, decided: unit.at(-1)!.id }
  }
}

function tryUnit(unit: readonly Operation[], disk: Disk, other: Disk): Map<number, Trace> | false {
  const undo = disk.copy()
  const traces = new Map<number, Trace>()
  const staged = (op: Operation) => (leaf: Leaf) => {
    const from = op.kind === 'create' || op.kind === 'replace' ? op.from : undefined
    return [from?.path, from?.later].some(p => isSame(other, p, leaf))
  }
  // Content is fetched before the first of a unit is placed.
  const fetched = unit.every(op => (op.kind !== 'create' && op.kind !== 'replace') || staged(op)(op.content))
  for (const op of unit) {
    if (!fetched || !lastLook(op, disk, other)) {
      disk.restore(undo)
      return false
    }
    traces.set(
      op.id,
      disk.execute(op, () => true)
    )
  }
  return traces
}

const isSame = (disk: Disk, p: RelPath | undefined, leaf: Leaf): boolean => {
  const there = p === undefined ? undefined : disk.entry(p)
  return there !== undefined && there.kind === leaf.kind && sameContent(there, leaf)
}

/** What the executor finds just before it acts (SYNC.md 5). */
function lastLook(op: Operation, disk: Disk, other: Disk): boolean {
  const free = (p: RelPath): boolean => {
    const parent = parentOf(p)
    const holder = parent === '' || disk.items.get(parent)?.kind === 'directory'
    return holder && ![...disk.items.keys()].some(q => disk.fold(q) === disk.fold(p) && q !== op.path)
  }
  const unchanged = (): boolean => {
    if (!('expected' in op)) return true
    const there = disk.entry(op.path)
    if (there === undefined || there.kind === 'gone' || there.kind === 'unknown') return false
    return sameContent(there, op.expected) && (there.kind === 'directory' || there.mtimeNs === op.expected.mtimeNs)
  }
  switch (op.kind) {
    case 'create':
    case 'make-directory':
    case 'unpark':
      return free(op.path) && !disk.items.has(op.path)
    case 'move':
      return unchanged() && free(op.to) && (disk.fold(op.to) === disk.fold(op.path) || !disk.items.has(op.to))
    case 'remove':
      // Gone there still.
      return unchanged() && (op.reason !== 'deleted' || !isSame(other, op.path, op.expected as Leaf))
    case 'remove-directory':
      return unchanged() && disk.within(op.path).length === 1
    case 'replace':
    case 'park':
      return unchanged()
    case 'attributes': {
      // Its stat as it was seen, but for a directory, of which only what is there counts.
      const [there, seen] = [disk.items.get(op.path), op.seen]
      return there !== undefined && (seen === undefined || (there.mode === seen.mode && there.mtimeNs === seen.mtimeNs))
    }
    default:
      return disk.items.has(op.path)
  }
}
