import { displayPath, type Problem, parentOf, type RelPath, ROOT, type WorkerPool } from '../../storage/base/index.js'
import type { EntryStat } from '../../storage/files/index.js'
import type { Database } from '../../storage/sql/index.js'
import { contentBuffersOf, toContentColumns } from '../endpoints/index.js'
import { ENDS, type End, type Operation } from '../reconcile/index.js'
import { achievedOf, type Done, type Step } from './achieved.js'
import { Batch, type BatchLimits, isAttributes, LIMITS_FAR, LIMITS_HERE } from './batch.js'
import { type Bring, Bringing, type Brought } from './bringing.js'
import { Learned, type LearnedInit, noteOf } from './learned.js'
import { lookAgain } from './look-again.js'
import { lookAtAll } from './look-at-all.js'
import { readPlanned } from './plan.js'
import { planning } from './plan.worker.js'
import { snapshotting } from './snapshot.worker.js'
import { expectedOf, groupSteps, stepOf } from './steps.js'
import { toTraceColumns, traceBuffersOf } from './traces.js'
import type { TransitionEnd } from './transition-end.js'
import { withLearnt } from './unread-content.js'
import { VersionLines } from './version-lines.js'

export interface TransitionInit extends Pick<LearnedInit, 'onLearned'> {
  readonly ends: Readonly<Record<End, TransitionEnd>>
  readonly snapshot: Database
  readonly planFile: string
  readonly pool: WorkerPool
  /** Of the run, for the versions. */
  readonly run: string
  /** What was staged before a connection was lost is found again: by its content, since plans number anew. */
  readonly resumes?: boolean | undefined
  /** The plan has content that nobody has read yet: see `unread-content.ts`. */
  readonly unread?: boolean | undefined
  /** Unless told as many steps a batch as may be: each costs its beginning, its marker and two syncs, whatever its size. */
  readonly batchSteps?: number | undefined
  readonly signal?: AbortSignal | undefined
  /** A batch is about to do these, and has done those. */
  beforeBatch?(steps: readonly Step[]): Promise<void>
  afterBatch?(done: readonly Done[]): Promise<void>
  /** The plan's file tells what came of all operations up to a number. */
  afterNoted?(upTo: number): void
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
 * done; what failed is told and left for the next session. What a batch did is durable before the next is placed; the content
 * of the next is brought meanwhile.
 * @throws what concerns more than single paths: NO_SPACE, DISK_ERROR, ROOT_MOVED, UNREACHABLE; `signal.reason`
 */
export class Transition {
  readonly #init: TransitionInit
  readonly #lines: VersionLines
  readonly #failed = new Set<number>()
  /** Directories of each end in which something failed: they are not empty. */
  readonly #blocked: Record<End, Set<string>> = { source: new Set(), destination: new Set() }
  readonly #problems: (Problem & { at: End })[] = []
  readonly #unsettled = new Set<RelPath>()
  readonly #bringing: Bringing
  readonly #learned: Learned
  readonly #limits: BatchLimits
  #batch: Batch
  /** Content of the last batch being staged, then made durable; and the last two being placed: one is, the other waits for it. */
  #staging: Promise<unknown> = Promise.resolve()
  #brought: Promise<unknown> = Promise.resolve()
  #placing: Promise<unknown> = Promise.resolve()
  #placingBefore: Promise<unknown> = Promise.resolve()
  /** What the last batch did, being written down. */
  #noting: Promise<unknown> = Promise.resolve()
  #operations = 0
  #bytes = 0

  constructor(init: TransitionInit) {
    this.#init = init
    this.#lines = new VersionLines(init.run, init.snapshot)
    this.#bringing = new Bringing(init)
    this.#learned = new Learned(init)
    const here = ENDS.every(end => init.ends[end].endpoint.kind === 'local')
    const limits = here ? LIMITS_HERE : LIMITS_FAR
    this.#limits = { ...limits, steps: init.batchSteps ?? limits.steps }
    this.#batch = new Batch(this.#limits)
  }

  async run(): Promise<Transitioned> {
    try {
      await this.#all()
      await this.#placing
      await this.#noting
      await this.#learned.tell(this.#failed)
    } finally {
      // Nothing is left at work when the staging places are closed.
      await Promise.allSettled([this.#staging, this.#brought, this.#placingBefore, this.#placing, this.#noting])
    }
    return {
      ...{ operations: this.#operations, bytes: this.#bytes },
      ...{ problems: this.#problems, unsettled: [...this.#unsettled] }
    }
  }

  async #all(): Promise<void> {
    const { pool, planFile, snapshot, signal } = this.#init
    const group: Operation[] = []
    for (let from = 0; ; ) {
      const page = await readPlanned(pool, { planFile, from, limit: PLAN_PAGE }, { signal })
      if (from === 0 && page.length > 0) await snapshot.write(snapshotting.begin, undefined)
      for (const op of page) {
        if (group.length > 0 && group[0]!.group !== op.group) await this.#doGroup(group.splice(0))
        if (op.group !== undefined) group.push(op)
        else if (op.kind === 'version') this.#learned.add(op)
        else await this.#add(op)
      }
      await this.#learned.tellSome()
      if (page.length < PLAN_PAGE) break
      from = page.at(-1)!.id + 1
    }
    if (group.length > 0) await this.#doGroup(group)
    await this.#flush()
  }

  async #add(op: Operation): Promise<void> {
    if (!this.#batch.takes(op)) await this.#flush()
    if (this.#able(op)) this.#batch.add(op)
    else this.#fail(op, undefined)
  }

  #able(op: Operation): boolean {
    if (op.needs.some(id => this.#failed.has(id))) return false
    return op.kind !== 'remove-directory' || !this.#blocked[op.end].has(op.path)
  }

  /** Begins with a batch: its content is staged while the batch before is made durable and placed, and no other. */
  async #flush(): Promise<void> {
    const { ops } = this.#batch
    this.#batch = new Batch(this.#limits)
    if (ops.length === 0) return
    await this.#placingBefore
    await this.#staging
    const { staged, brought } = this.#bring(ops)
    const placing = this.#placing.then(async () => this.#placeBatch(ops, await brought))
    for (const promise of [staged, brought, placing]) promise.catch(() => {}) // awaited with the next batch, or at the end
    this.#staging = staged
    this.#brought = brought
    this.#placingBefore = this.#placing
    this.#placing = placing
  }

  async #placeBatch(ops: readonly Operation[], brought: Brought): Promise<void> {
    try {
      await this.#placeReady(await this.#ready(ops, brought), brought)
    } finally {
      this.#bringing.names.free(ops)
    }
  }

  async #placeReady(ready: readonly Operation[], { durable }: Brought): Promise<void> {
    const [first] = ready
    if (first === undefined) return
    const { stage } = this.#end(first)
    const { names } = this.#bringing
    const steps = isAttributes(first)
      ? await this.#attributeSteps(ready)
      : ready.map((op): Step => ({ step: stepOf(op, stage!.id, names.of(op)), ops: [op] }))
    await this.#place(steps, { durable })
  }

  async #doGroup(group: readonly Operation[]): Promise<void> {
    await this.#flush()
    await this.#placing
    const ops = group.filter(op => op.kind !== 'version')
    for (const op of group) if (op.kind === 'version') this.#learned.add(op)
    const able = ops.every(op => op.needs.every(id => !this.#failed.has(id)))
    const ready = able ? await this.#ready(ops, await this.#bring(ops).brought) : []
    const { stage } = this.#end(group[0]!)
    const steps = ready.length < ops.length ? [] : groupSteps(ready, stage!.id, op => this.#bringing.names.of(op))
    if (steps.length === 0) for (const op of ops) this.#fail(op, undefined)
    await this.#place(steps, { group: ops[0]?.id })
    this.#bringing.names.free(ops)
  }

  /** @returns those that can be placed: their needs were met, their content is here, nothing speaks against them any more */
  async #ready(batch: readonly Operation[], { failed, hashes }: Brought): Promise<Operation[]> {
    const { ends, snapshot, signal } = this.#init
    const able = batch.filter(op => {
      const is = this.#able(op)
      if (!is) this.#fail(op, undefined)
      return is
    })
    const back = await lookAgain(able, { ends, snapshot, ...(signal && { signal }) })
    const ready = able.filter(op => {
      const problem = failed.get(op.id)
      if (problem === undefined && !back.has(op.id)) return true
      this.#fail(op, problem ?? changedMeanwhile(op.path))
      return false
    })
    return hashes.size === 0 ? ready : ready.map(op => withLearnt(op, hashes))
  }

  /** Permission bits and times: of what stands there now, which must be what it was for the plan but for what the plan did. */
  async #attributeSteps(batch: readonly Operation[]): Promise<Step[]> {
    const { endpoint } = this.#end(batch[0]!)
    const paths = batch.map(op => op.path)
    const looks = await lookAtAll(endpoint, paths, { signal: this.#init.signal })
    return batch.flatMap((op, i): Step[] => {
      const stat = looks[i]?.entry?.stat
      if (op.kind !== 'attributes' || stat === undefined || isSetSince(op, stat)) {
        this.#fail(op, changedMeanwhile(op.path))
        return []
      }
      const { path, mode, mtimeNs } = op
      const set = { ...(mode === undefined ? {} : { mode }), ...(mtimeNs === undefined ? {} : { mtimeNs }) }
      const expected = op.seen === undefined ? stat : expectedOf(op.seen, path)
      return [{ step: { kind: 'attributes', path, expected, ...set }, ops: [op] }]
    })
  }

  async #place(
    steps: readonly Step[],
    { group, durable = false }: { readonly group?: number | undefined; readonly durable?: boolean }
  ): Promise<void> {
    if (steps.length === 0) return
    const { run, signal, snapshot, planFile, pool, unread = false } = this.#init
    const end = steps[0]!.ops[0]!.end
    const { place, capabilities, vectors } = this.#init.ends[end]
    const lines = await this.#lines.of(steps, group)
    const notes = vectors && steps.map(noteOf)
    const begin = async (): Promise<void> => this.#init.beforeBatch?.(steps)
    const batch = { run, steps, lines, group, notes, begin, stagedDurable: durable }
    const results = await place!(batch, { ...(signal && { signal }) })
    const { done, failed, moved, gone, rows: placed } = achievedOf(steps, results)
    const traces = toTraceColumns(done, { ...capabilities, unread })
    const rows = toContentColumns(placed)
    for (const { op, problem } of failed) this.#fail(op, problem)
    for (const one of done) {
      this.#lines.noteMade(one.op)
      this.#learned.note(one)
    }
    const upTo = traces.ids.at(-1)
    const noteAchieved = async (): Promise<void> => {
      await pool.run(planning.achieved, { planFile, traces }, { transfer: traceBuffersOf(traces) })
      if (upTo !== undefined) this.#init.afterNoted?.(upTo)
    }
    // One behind: what nobody reads before it is asked for by the same writers.
    await this.#noting
    this.#noting = Promise.all([
      noteAchieved(),
      snapshot.write(snapshotting.placed, { at: end, rows, moved, gone }, { transfer: contentBuffersOf(rows) }),
      this.#init.afterBatch?.(done)
    ])
    this.#noting.catch(() => {}) // awaited with the next batch, and by `run`
    this.#tell(done.filter(({ op }) => op.kind !== 'park' && op.reason !== 'directory-time').length, 0)
    signal?.throwIfAborted()
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

  #bring(ops: readonly Operation[]): Bring {
    return this.#bringing.bring(ops, written => this.#tell(0, written))
  }

  #tell(operations: number, bytes: number): void {
    this.#operations += operations
    this.#bytes += bytes
    this.#init.onProgress?.({ operations: this.#operations, bytes: this.#bytes })
  }
}

/** By hand, after the plan: of what the plan renamed no change time tells it. */
const isSetSince = ({ seen }: Extract<Operation, { kind: 'attributes' }>, { mode }: EntryStat): boolean =>
  seen !== undefined && seen.kind !== 'symlink' && ((seen.mode ^ mode) & PERMISSION_BITS) !== 0

const PERMISSION_BITS = 0o777

function changedMeanwhile(path: RelPath): Problem {
  const shown = displayPath(path)
  const why = 'it was changed while it was being synced; the next run takes it up'
  return { path: shown, code: 'CHANGED', message: `could not sync ${shown}: ${why}` }
}
