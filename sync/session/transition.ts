import {
  type AbortOptions,
  displayPath,
  isWithin,
  type Problem,
  parentOf,
  type RelPath,
  ROOT,
  type WorkerPool
} from '../../storage/base/index.js'
import {
  type Capabilities,
  type EntryStat,
  MAX_BATCH_BYTES,
  MAX_BATCH_STEPS,
  type PlaceResult,
  type PlaceStep
} from '../../storage/files/index.js'
import type { Database } from '../../storage/sql/index.js'
import type { Endpoint, EndpointStage } from '../endpoints/index.js'
import { type End, type Operation, otherEnd, type Present, type Trace } from '../reconcile/index.js'
import type { Kept, VersionLine } from '../versions/index.js'
import { planning } from './plan.worker.js'
import { type PlacedRow, snapshotting } from './snapshot.worker.js'
import { stageContent, type Wanted } from './stage-content.js'
import { groupSteps, stagedPath, stepOf } from './steps.js'

/** Keeps what is replaced or removed at an end: `VersionStore`, or for an end that is never written, nothing. */
export interface VersionKeeper {
  record(lines: readonly Omit<VersionLine, 'atMs'>[], options?: AbortOptions): Promise<number>
  keep(options?: AbortOptions): Promise<unknown>
}

export interface TransitionEnd {
  readonly endpoint: Endpoint
  /** Unless this end is never written. */
  readonly stage: EndpointStage | undefined
  readonly versions: VersionKeeper | undefined
  readonly capabilities: Pick<Capabilities, 'keepsIdentity'>
}

export interface Done {
  readonly op: Operation
  readonly stat: EntryStat | undefined
}

export interface TransitionInit {
  readonly ends: Readonly<Record<End, TransitionEnd>>
  readonly snapshot: Database
  readonly planFile: string
  readonly pool: WorkerPool
  /** Of the run, for the versions. */
  readonly run: string
  readonly signal?: AbortSignal | undefined
  /** A batch is about to do these, and has done those. */
  beforeBatch?(operations: readonly Operation[]): Promise<void>
  afterBatch?(done: readonly Done[]): Promise<void>
  onProgress?(progress: { readonly operations: number; readonly bytes: number }): void
}

export interface Transitioned {
  readonly operations: number
  readonly bytes: number
  /** With the end at which the path is. */
  readonly problems: readonly (Problem & { readonly at: End })[]
  /** Paths that are to be looked at again. */
  readonly unsettled: readonly RelPath[]
}

/** Read at once from the plan. */
const PLAN_PAGE = 1_000
/** Listed one by one; further ones are counted in `unsettled` alone. */
const MAX_PROBLEMS = 1_000

/**
 * Does a plan: batch by batch, one end at a time, in its order. An operation whose needs failed is not tried, everything else is
 * done; what failed is told and left for the next session. What a batch did is durable when the next begins.
 * @throws what concerns more than single paths: NO_SPACE, DISK_ERROR, ROOT_MOVED, UNREACHABLE; `signal.reason`
 */
export class Transition {
  readonly #init: TransitionInit
  readonly #failed = new Set<number>()
  /** Directories of each end in which something failed: they are not empty. */
  readonly #blocked: Record<End, Set<string>> = { source: new Set(), destination: new Set() }
  /** Directories that did not exist before: nothing is known of what they were. */
  readonly #made: Record<End, Set<string>> = { source: new Set(), destination: new Set() }
  readonly #problems: (Problem & { at: End })[] = []
  readonly #unsettled = new Set<RelPath>()
  #batch: Operation[] = []
  #batchIds = new Set<number>()
  #batchBytes = 0
  #operations = 0
  #bytes = 0

  constructor(init: TransitionInit) {
    this.#init = init
  }

  async run(): Promise<Transitioned> {
    const { pool, planFile, signal } = this.#init
    const group: Operation[] = []
    for (let from = 0; ; ) {
      const page = await pool.run(planning.operations, { planFile, from, limit: PLAN_PAGE }, { signal })
      if (from === 0 && page.length > 0) await this.#init.snapshot.write(snapshotting.begin, undefined)
      for (const op of page) {
        if (group.length > 0 && group[0]!.group !== op.group) await this.#doGroup(group.splice(0))
        if (op.group !== undefined) {
          await this.#flush()
          group.push(op)
        } else await this.#add(op)
      }
      if (page.length < PLAN_PAGE) break
      from = page.at(-1)!.id + 1
    }
    if (group.length > 0) await this.#doGroup(group)
    await this.#flush()
    return {
      ...{ operations: this.#operations, bytes: this.#bytes },
      ...{ problems: this.#problems, unsettled: [...this.#unsettled] }
    }
  }

  async #add(op: Operation): Promise<void> {
    if (op.kind === 'version') return
    const [first] = this.#batch
    const size = sizeOf(op)
    const waits = op.needs.some(id => this.#batchIds.has(id) && !this.#isOwnFolder(op, id))
    const full =
      this.#batch.length >= MAX_BATCH_STEPS || (this.#batchBytes > 0 && this.#batchBytes + size > MAX_BATCH_BYTES)
    const other = first !== undefined && (first.end !== op.end || isAttributes(first) !== isAttributes(op))
    if (waits || full || other || this.#emptiesOne(op)) await this.#flush()
    if (!this.#able(op)) {
      this.#fail(op, undefined)
      return
    }
    this.#batch.push(op)
    this.#batchIds.add(op.id)
    this.#batchBytes += size
  }

  /** A step in a folder that the same batch makes: placing sees to it that both fail together. */
  #isOwnFolder(op: Operation, id: number): boolean {
    const made = this.#batch.find(o => o.id === id)
    return made?.kind === 'make-directory' && isWithin(op.path, made.path)
  }

  /** A folder goes after all that leaves it: what failed there is known then. */
  #emptiesOne(op: Operation): boolean {
    return op.kind === 'remove-directory' && this.#batch.some(o => o.kind !== 'remove-directory')
  }

  #able(op: Operation): boolean {
    if (op.needs.some(id => this.#failed.has(id))) return false
    return op.kind !== 'remove-directory' || !this.#blocked[op.end].has(op.path)
  }

  async #flush(): Promise<void> {
    const batch = this.#batch
    this.#batch = []
    this.#batchIds = new Set()
    this.#batchBytes = 0
    if (batch.length === 0) return
    const ready = await this.#ready(batch)
    if (ready.length === 0) return
    const { endpoint, stage } = this.#end(ready[0]!)
    const steps = isAttributes(ready[0]!) ? await this.#attributeSteps(ready) : ready.map(op => stepOf(op, stage!.id))
    await this.#place(
      ready.filter((_, i) => steps[i] !== undefined).map(op => [op]),
      steps.filter(s => s !== undefined),
      some => endpoint.place(some, { signal: this.#init.signal })
    )
  }

  async #doGroup(group: readonly Operation[]): Promise<void> {
    const able = group.every(op => op.needs.every(id => !this.#failed.has(id)) || op.kind === 'version')
    const { endpoint, stage } = this.#end(group[0]!)
    const steps = groupSteps(group, stage!.id)
    const ready = able && steps !== undefined ? await this.#ready(group) : []
    if (steps === undefined || ready.length < group.length) {
      const tangled = steps === undefined ? problemOf(group[0]!.path, 'TANGLED', TANGLED) : undefined
      for (const op of group) this.#fail(op, op === group[0] ? tangled : undefined)
      return
    }
    await this.#place(
      steps.map(s => s.ids.map(id => group.find(op => op.id === id)!)),
      steps.map(s => s.step),
      some => endpoint.placeGroup(some, { signal: this.#init.signal })
    )
  }

  /** Looks once more whether deletions and moves still hold, and stages content. @returns those that can be placed */
  async #ready(batch: readonly Operation[]): Promise<Operation[]> {
    const { signal } = this.#init
    const end = batch[0]!.end
    const { endpoint, stage } = this.#end(batch[0]!)
    const other = this.#init.ends[otherEnd(end)].endpoint
    const doubted = batch.filter(takesAway)
    const back = new Set<number>()
    for (let at = 0; at < doubted.length; at += MAX_BATCH_STEPS) {
      const some = doubted.slice(at, at + MAX_BATCH_STEPS)
      const paths = some.map(op => op.path)
      const known = await this.#init.snapshot.maintain(snapshotting.holds, { at: otherEnd(end), paths })
      const looks = await other.look(paths, { signal })
      looks.forEach(({ entry, problem }, i) => {
        // What the plan knew of (another kind of thing under that name) is no news.
        if (known[i] === true) return
        // A folder or link that stands in the way is as good as nothing there.
        if (entry !== undefined || (problem !== undefined && problem.code !== 'LINK_IN_PATH')) back.add(some[i]!.id)
      })
    }
    const wanted = batch.flatMap((op): Wanted[] =>
      op.kind !== 'create' && op.kind !== 'replace'
        ? []
        : [
            {
              ...{ id: op.id, content: op.content, mode: op.mode, mtimeNs: op.mtimeNs, path: op.path },
              from: op.from.later === undefined ? [op.from.path] : [op.from.path, op.from.later],
              staged: stagedPath(op.id)
            }
          ]
    )
    let failed: ReadonlyMap<number, Problem> = new Map()
    if (wanted.length > 0) {
      await endpoint.ensureSpace(
        batch.reduce((sum, op) => sum + sizeOf(op), 0),
        { signal }
      )
      const staged = await stageContent(other, stage!, wanted, {
        ...(signal && { signal }),
        onBytes: bytes => this.#tell(0, bytes)
      })
      failed = staged.failed
    }
    return batch.filter(op => {
      const problem = failed.get(op.id)
      if (problem === undefined && !back.has(op.id)) return true
      this.#fail(op, problem ?? problemOf(op.path, 'CHANGED', BACK_AGAIN))
      return false
    })
  }

  /** Permission bits and times: of what stands there now, which must be what it was for the plan but for what the plan did. */
  async #attributeSteps(batch: readonly Operation[]): Promise<(PlaceStep | undefined)[]> {
    const { endpoint } = this.#end(batch[0]!)
    const looks = await endpoint.look(
      batch.map(op => op.path),
      { signal: this.#init.signal }
    )
    return batch.map((op, i) => {
      const stat = looks[i]?.entry?.stat
      if (op.kind !== 'attributes' || stat === undefined) {
        this.#fail(op, problemOf(op.path, 'CHANGED', BACK_AGAIN))
        return undefined
      }
      const { path, mode, mtimeNs } = op
      return {
        ...{ kind: 'attributes', path, expected: stat },
        ...(mode === undefined ? {} : { mode }),
        ...(mtimeNs === undefined ? {} : { mtimeNs })
      }
    })
  }

  /** @param ops - for each step the operations that it is */
  async #place(
    ops: readonly (readonly Operation[])[],
    steps: readonly PlaceStep[],
    place: (steps: readonly PlaceStep[]) => Promise<readonly PlaceResult[]>
  ): Promise<void> {
    if (steps.length === 0) return
    const { run, signal, snapshot, planFile, pool } = this.#init
    const end = ops[0]![0]!.end
    const { versions, capabilities } = this.#init.ends[end]
    await this.#init.beforeBatch?.(ops.flat())
    const lines = steps.flatMap((step, i) => linesOf(step, ops[i]!.at(-1)!, ops[i]!, run))
    if (versions !== undefined) lines.push(...(await this.#attributeLines(ops)))
    if (lines.length > 0) await versions?.record(lines, { ...(signal && { signal }) })
    const results = await place(steps)
    await versions?.keep({ ...(signal && { signal }) })
    const done: Done[] = []
    const traces: { id: number; trace: Trace }[] = []
    const rows: PlacedRow[] = []
    const moved: { path: RelPath; to: RelPath }[] = []
    const gone: RelPath[] = []
    for (const [i, result] of results.entries()) {
      const step = steps[i]!
      if (!result.done) {
        for (const op of ops[i]!) this.#fail(op, op === ops[i]!.at(-1) ? result.problem : undefined)
        continue
      }
      const { stat } = result
      for (const op of ops[i]!) {
        traces.push({ id: op.id, trace: stat === undefined ? NO_TRACE : traceOf(stat, capabilities) })
        done.push({ op, stat })
        if (op.kind === 'make-directory') this.#made[end].add(op.path)
      }
      if (step.kind === 'remove' || step.kind === 'remove-directory') gone.push(step.path)
      if (step.kind === 'move') moved.push({ path: step.path, to: step.to })
      else if (stat !== undefined) rows.push(rowOf(ops[i]!.at(-1)!, stat))
    }
    await pool.run(planning.achieved, { planFile, list: traces }, { signal })
    await snapshot.write(snapshotting.placed, { at: end, rows, moved, gone })
    await this.#init.afterBatch?.(done)
    this.#tell(done.filter(({ op }) => op.kind !== 'park' && op.reason !== 'directory-time').length, 0)
  }

  /** Permission bits and times before they are set; of a folder, as they were before the run put anything into it. */
  async #attributeLines(ops: readonly (readonly Operation[])[]): Promise<Omit<VersionLine, 'atMs'>[]> {
    const { run, snapshot } = this.#init
    const list = ops.flat().filter(op => op.kind === 'attributes' && !this.#made[op.end].has(op.path))
    if (list.length === 0) return []
    const paths = list.map(op => op.path)
    const were = await snapshot.maintain(snapshotting.attributes, { at: list[0]!.end, paths })
    return list.flatMap(({ path, reason: why }, i) => {
      const was = were[i]
      return was === undefined ? [] : [{ run, path, was, why }]
    })
  }

  #fail(op: Operation, problem: Problem | undefined): void {
    this.#failed.add(op.id)
    this.#unsettled.add(op.path)
    if (op.kind === 'move') this.#unsettled.add(op.to)
    for (let at: RelPath = op.path; at !== ROOT; at = parentOf(at)) this.#blocked[op.end].add(at)
    if (problem !== undefined && this.#problems.length < MAX_PROBLEMS)
      this.#problems.push({ ...problem, path: displayPath(op.path), at: op.end })
  }

  #end(op: Operation): TransitionEnd {
    return this.#init.ends[op.end]
  }

  #tell(operations: number, bytes: number): void {
    this.#operations += operations
    this.#bytes += bytes
    this.#init.onProgress?.({ operations: this.#operations, bytes: this.#bytes })
  }
}

const NO_TRACE: Trace = { mtimeNs: 0n, mode: 0 }
const BACK_AGAIN = 'it was changed while it was being synced; the next run takes it up'
const TANGLED =
  'it was moved into something that moved as well; move one of them back, or to where both ends shall have it'

const isAttributes = (op: Operation): boolean => op.kind === 'attributes'
const sizeOf = (op: Operation): number =>
  (op.kind === 'create' || op.kind === 'replace') && op.content.kind === 'file' ? op.content.sizeBytes : 0

/** Because the other end has it no more, or has it elsewhere: asked once more before it is done. */
function takesAway(op: Operation): boolean {
  if (op.kind === 'remove' || op.kind === 'remove-directory') return op.reason === 'deleted' || op.reason === 'extra'
  return false
}

function problemOf(path: RelPath, code: string, why: string): Problem {
  const shown = displayPath(path)
  return { path: shown, code, message: `could not sync ${shown}: ${why}` }
}

function traceOf(
  { mtimeNs, mode, inode, birthNs }: EntryStat,
  { keepsIdentity }: TransitionEnd['capabilities']
): Trace {
  const shared = { mtimeNs, mode: mode & 0o7777 }
  return keepsIdentity && birthNs !== 0n ? { ...shared, identity: { inode, birthNs } } : shared
}

function rowOf(op: Operation, stat: EntryStat): PlacedRow {
  const content = op.kind === 'create' || op.kind === 'replace' ? op.content : undefined
  if (content?.kind === 'file') return { path: op.path, stat, hash: content.hash }
  if (content?.kind === 'symlink') return { path: op.path, stat, target: content.target }
  return { path: op.path, stat }
}

/** What is written down before a step, so that it can be gone back to. */
function linesOf(step: PlaceStep, op: Operation, ops: readonly Operation[], run: string): Omit<VersionLine, 'atMs'>[] {
  const why = op.reason
  if (step.kind === 'move') return [{ run, path: step.path, was: null, to: step.to, why }]
  if (step.kind === 'create' || step.kind === 'make-directory') return [{ run, path: step.path, was: null, why }]
  const expected = ops.map(o => ('expected' in o ? o.expected : undefined)).find(e => e !== undefined)
  return expected === undefined ? [] : [{ run, path: step.path, was: keptOf(expected), why }]
}

function keptOf(entry: Present): Kept {
  const { mtimeNs, mode } = entry
  if (entry.kind === 'file') return { kind: 'file', hash: entry.hash, sizeBytes: entry.sizeBytes, mtimeNs, mode }
  if (entry.kind === 'symlink') return { kind: 'symlink', target: entry.target, mtimeNs }
  return { kind: 'directory', mtimeNs, mode }
}
