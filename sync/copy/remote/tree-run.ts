import { type AbortOptions, type Problem, pathBytes, type RelPath } from '../../../storage/base/index.js'
import type { PhaseContext } from '../../../storage/jobs/index.js'
import type { Endpoint, EndpointStage, TreeEntry } from '../../endpoints/index.js'
import { copyWrites } from '../copy.worker.js'
import { tell } from '../copying.js'
import type { DecideRules, OverwriteMode } from '../decide.js'
import { filter } from '../filter.js'
import type { Tally } from '../tally.js'
import { Deciding } from './deciding.js'
import type { RemoteCopyInput } from './input.js'
import { namer, type RemoteTree } from './layout.js'
import { MovedAway } from './moved.js'
import { pipeline } from './pipeline.js'
import { Placing } from './placing.js'
import type { RemoteCopyComponents } from './ports.js'
import { stageCopies } from './staging.js'
import type { RemoteCopyState } from './state.js'
import { walked } from './walking.js'
import { bytesOf, type CopyItem, type Work } from './work.js'

/** Checkpoints while it copies: what was done since is looked at again after a crash, not done again. */
const CHECKPOINT_MS = 1000

export interface TreeRunInit {
  readonly components: RemoteCopyComponents
  readonly input: RemoteCopyInput
  readonly ctx: PhaseContext<RemoteCopyState>
  readonly tally: Tally
  readonly source: Endpoint
  readonly destination: Endpoint
  readonly stage: EndpointStage
  readonly tree: RemoteTree
  readonly index: number
  /** What `input` says, or what a person answered. */
  readonly overwrite: OverwriteMode
  readonly sourceDevice: string | null
  /** Entries to be taken; a walk over the sources unless given. */
  readonly entries?: (() => AsyncIterable<readonly TreeEntry[]>) | undefined
}

/** What a copy and its preview decide by. */
export function rulesOf(
  input: RemoteCopyInput,
  overwrite: OverwriteMode,
  { beganNs, timeStepNs, modes }: { beganNs: bigint; timeStepNs: bigint; modes: boolean }
): DecideRules {
  // What is taken away at its source must be there to the last byte.
  const strict = input.verify || input.operation === 'move'
  return { overwrite, keepTimes: input.keepTimes, beganNs, timeStepNs, modes, strict }
}

/** Copies the sources of one folder: finds, decides, stages and places, all at once and bounded. */
export async function copyRemoteTree(init: TreeRunInit): Promise<void> {
  const { components, input, ctx, tally, source, destination, stage, index } = init
  const { state, signal, job } = ctx
  const layout = state.layout!
  const move = input.operation === 'move'
  const capabilities = await destination.capabilities({ signal })
  const run = `${state.runs}-${index}`
  const problem = (p: Problem): void => tell(ctx, p)
  const moved = move ? movedAway(source, ctx, index) : undefined
  // Of the trees before this one.
  const before = state.replacing
  const placing = new Placing({
    ...{ destination, stage, job, operation: input.operation, keep: input.keep, keepTimes: input.keepTimes },
    ...{ modes: capabilities.modes, run, sources: moved, problem },
    async replacing(list) {
      state.replacing = [...before, ...list]
      if (list.length > 0) await ctx.checkpoint()
    }
  })
  const staging = {
    ...{ source, destination, stage, tree: index, beganNs: input.keepTimes ? undefined : state.beganNs },
    ...{ verify: input.verify || move, resumed: state.runs > 1 },
    bytes(n: number) {
      state.fruitless = 0
      state.sentBytes += Math.max(0, n) // what begins again was sent all the same
      tally.bytes(n)
    },
    found(n: number) {
      state.counts.resumedBytes += n
      tally.bytes(n)
    },
    common(n: number) {
      tally.bytes(n)
    }
  }
  let restedMs = ctx.clock.monotonicMs()
  const rest = async (): Promise<void> => {
    if (ctx.clock.monotonicMs() - restedMs < CHECKPOINT_MS) return
    await ctx.checkpoint()
    restedMs = ctx.clock.monotonicMs()
  }
  const oneDevice = init.sourceDevice === layout.root.device
  try {
    await moved?.putBack({ signal })
    for await (const works of portions(init, { oneDevice, modes: capabilities.modes, problem })) {
      await pipeline(
        works,
        {
          async stage(work, options) {
            tally.found({ files: work.files, bytes: work.bytes, groups: [{ dir: work.items.at(-1)?.source ?? '' }] })
            const copies = work.items.filter((t): t is CopyItem => t.do === 'copy')
            if (copies.length > 0) await destination.ensureSpace(sum(copies), options)
            const staged = await stageCopies(staging, copies, options)
            for (const p of staged.problems) problem(p)
            await addConflicts(components, ctx, index, work)
            return staged
          },
          async place(some, options) {
            const items = some.flatMap(({ work }) => work.items)
            const staged = new Map(some.flatMap(({ staged: s }) => [...s.staged]))
            const placed = await placing.place({ items }, { staged, problems: [] }, options)
            if (placed.copies.length > 0) state.fruitless = 0
            const works = some.map(s => s.work)
            for (const work of works) tellTaken(tally, work, staged)
            state.counts.directories += placed.directories
            tally.placed(placed.copies, placed)
            await rest()
          }
        },
        { signal }
      )
      await placing.end({ signal })
    }
  } finally {
    await moved?.close()
  }
}

/** The sources of one tree that go, with what an earlier try left of them. */
export function movedAway(source: Endpoint, ctx: PhaseContext<RemoteCopyState>, index: number): MovedAway {
  const { state, job } = ctx
  const of = (own: boolean) => (state.taking ?? []).filter(({ tree }) => (tree === index) === own)
  return new MovedAway(source, {
    ...{ id: job, run: `${state.runs}-${index}`, command: 'file.move' },
    left: of(true).map(({ path, at }) => ({ path, at })),
    async taking(list) {
      state.taking = [...of(false), ...list.map(one => ({ ...one, tree: index }))]
      if (list.length > 0) await ctx.checkpoint()
    },
    problem: problem => tell(ctx, problem)
  })
}

const sum = (copies: readonly CopyItem[]): number => copies.reduce((n, t) => n + bytesOf(t.stat), 0)

/** One stream of portions a source. */
async function* portions(
  { input, ctx, source, destination, tree, entries, overwrite }: TreeRunInit,
  { oneDevice, modes, problem }: { oneDevice: boolean; modes: boolean; problem(p: Problem): void }
): AsyncGenerator<AsyncIterable<Work>, void, void> {
  const { state, signal } = ctx
  const { timeStepNs } = await destination.capabilities({ signal })
  const chosen = filter({ include: input.include, exclude: input.exclude })
  const deciding = new Deciding({
    ...{ source, destination, oneDevice, problem, onlyNeeded: chosen.onlyNeeded },
    rules: rulesOf(input, overwrite, { beganNs: state.beganNs, timeStepNs, modes }),
    nameThere: namer(state.layout!, tree)
  })
  const avoid = oneDevice ? (await destination.about({ signal })).root : undefined
  const decided = (found: AsyncIterable<readonly TreeEntry[]>): AsyncIterable<Work> =>
    decide(deciding, noted(found, state), { signal })
  if (entries !== undefined) {
    yield decided(entries())
    return
  }
  const nameThere = namer(state.layout!, tree)
  for (const { name } of tree.names) {
    const wasMoved = async (): Promise<boolean> => {
      if (input.operation !== 'move' || (state.runs === 1 && state.counts.renamed === 0)) return false
      const [there] = await destination.look([nameThere(name as RelPath)], { signal })
      return there?.entry !== undefined
    }
    yield decided(walked({ source, top: name, filter: chosen, avoid, problem, wasMoved }, { signal }))
  }
}

export async function* decide(
  deciding: Deciding,
  found: AsyncIterable<readonly TreeEntry[]>,
  options: AbortOptions
): AsyncGenerator<Work, void, void> {
  for await (const entries of found) for (const work of await deciding.page(entries, options)) yield work
}

/** Names of one file become files of their own: which ones belong together does not travel. */
async function* noted(found: AsyncIterable<readonly TreeEntry[]>, { notes }: RemoteCopyState) {
  for await (const entries of found) {
    const several = entries.some(({ stat }) => stat.kind === 'file' && stat.links > 1)
    if (several && !notes.includes(SEVERAL_NAMES)) notes.push(SEVERAL_NAMES)
    yield entries
  }
}

export const SEVERAL_NAMES = 'Files with several names (hard links) became a file for each name on the other device.'

function tellTaken(tally: Tally, work: Work, staged: ReadonlyMap<CopyItem, unknown>): void {
  const same = work.items.filter(t => t.do === 'same')
  const copies = work.items.filter((t): t is CopyItem => t.do === 'copy' && staged.has(t))
  tally.taken(work, {
    staged: copies.map(t => ({ bytes: bytesOf(t.stat) })),
    ...{ made: [], later: [], resumedBytes: 0, same: same.length },
    sameBytes: same.reduce((n, t) => n + bytesOf(t.stat), 0),
    ...{ skipped: work.skipped, conflicts: work.conflicts }
  })
}

async function addConflicts(
  { db }: RemoteCopyComponents,
  { job }: PhaseContext<RemoteCopyState>,
  tree: number,
  { conflicts }: Work
): Promise<void> {
  if (conflicts.length === 0) return
  const rows = conflicts.map(c => ({
    ...{ tree, path: pathBytes(c.path), source: pathBytes(c.source) },
    ...{ source_bytes: c.sourceBytes, source_mtime_ns: c.sourceMtimeNs },
    ...{ target_bytes: c.targetBytes, target_mtime_ns: c.targetMtimeNs }
  }))
  await db.write(copyWrites.addConflicts, { job, rows })
}
