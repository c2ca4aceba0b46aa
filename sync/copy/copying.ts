import {
  displayPath,
  type FileName,
  type Problem,
  pathBytes,
  type RelPath,
  SpacedriveError
} from '../../storage/base/index.js'
import { COPY_RESERVE_SHARE, type CopierInit, type FileRoot } from '../../storage/files/index.js'
import type { Phase, PhaseContext } from '../../storage/jobs/index.js'
import { copyWrites } from './copy.worker.js'
import { CopyRun } from './copy-run.js'
import { finding } from './find-pages.js'
import type { CopyInput } from './input.js'
import type { Tree } from './layout.js'
import { CHECKPOINT_BYTES, type FoundPage } from './pages.js'
import { Placer } from './placer.js'
import { openPlaces, type Places } from './places.js'
import type { CopyComponents } from './ports.js'
import { takeRules } from './rules.js'
import { openStanding } from './standing.js'
import { type CopyState, MAX_TOLD, nothingSeen } from './state.js'
import { Tally } from './tally.js'
import type { Touched } from './touched.js'

/** Checkpoints while it copies: what was done since is looked at again after a crash, not done again. */
const CHECKPOINT_MS = 1000

/** Where things lie staged: what is begun anew in each run, and large files, which go on. */
const NEW = 'new'
const LARGE = 'large'

/** Finds, decides, copies, all at once. */
export function copying(components: CopyComponents, input: CopyInput, touched: Touched): Phase<CopyState> {
  return {
    name: 'Copying',
    async execute(ctx) {
      const layout = ctx.state.layout!
      const { state } = ctx
      state.seen = nothingSeen()
      state.copiedBefore = state.counts.copied
      state.runs++
      const tally = new Tally(ctx)
      touched.begin()
      const places = await openPlaces({
        ...{ components, job: ctx.job, input, layout, state, signal: ctx.signal },
        problem: p => tell(ctx, p)
      })
      try {
        await places.staging.clear(NEW as FileName) // of a run that was cut short
        for (const [index, tree] of layout.trees.entries()) {
          const last = index === layout.trees.length - 1
          await copyTree({ components, input, ctx, tally, places, touched, last }, tree, index)
        }
        touched.ended()
      } finally {
        await places.close()
      }
    }
  }
}

interface Copying {
  readonly components: CopyComponents
  readonly input: CopyInput
  readonly ctx: PhaseContext<CopyState>
  readonly tally: Tally
  readonly places: Places
  readonly touched: Touched
  /** With what this tree brings all is found. */
  readonly last: boolean
}

/** @param find - what is found; a scan of all of it unless given */
export async function copyTree(
  { components, input, ctx, tally, places, touched, last }: Copying,
  tree: Tree,
  index: number,
  find?: (copier: CopierInit) => AsyncIterable<FoundPage>
): Promise<void> {
  const { state } = ctx
  const { copier, sameVolume } = await places.source(tree)
  const take = takeRules(input, {
    ...{ beganNs: state.beganNs, capabilities: places.root.capabilities, tree, sameVolume },
    large: { in: `${LARGE}/${index}`, everyBytes: components.checkpointBytes ?? CHECKPOINT_BYTES }
  })
  const placer = new Placer({
    ...{ components, job: ctx.job, input, copier, signal: ctx.signal },
    ...{
      root: places.root,
      staging: places.staging,
      tree: index,
      verify: input.verify || (input.operation === 'move' && !sameVolume)
    },
    async replacing(list) {
      state.replacing = list
      if (list.length > 0) await ctx.checkpoint()
    },
    problem: p => tell(ctx, p)
  })
  const search = finding({
    ...{ components, input, tree, copier, signal: ctx.signal },
    found: page => tally.found(page),
    foundAll() {
      if (last) tally.foundAll()
    },
    problem: p => tell(ctx, p),
    preparing: told => tally.preparing(told),
    note(message) {
      if (!state.notes.includes(message)) state.notes.push(message)
    }
  })
  let restedMs = ctx.clock.monotonicMs()
  const run = new CopyRun({
    ...{ components, copier, take, placer, signal: ctx.signal, stageIn: `${NEW}/${state.runs}-${index}` },
    heard: {
      taken(page, out) {
        search.later(out.later)
        touched.add(index, out.touched)
        tally.taken(page, out)
      },
      bytes: n => tally.bytes(n),
      placed: (copies, more) => tally.placed(copies, more),
      problem: p => tell(ctx, p),
      async conflicts(list) {
        const rows = list.map(c => ({
          ...{ tree: index, path: pathBytes(c.path), source: pathBytes(c.source) },
          ...{ source_bytes: c.sourceBytes, source_mtime_ns: c.sourceMtimeNs },
          ...{ target_bytes: c.targetBytes, target_mtime_ns: c.targetMtimeNs }
        }))
        await components.db.write(copyWrites.addConflicts, { job: ctx.job, rows })
      },
      async rest() {
        if (ctx.clock.monotonicMs() - restedMs < CHECKPOINT_MS) return
        await ctx.checkpoint()
        restedMs = ctx.clock.monotonicMs()
      }
    }
  })
  const pages = find?.(copier) ?? search.pages()
  if (state.fresh) return run.copy(sharesBlocks(places.root) ? pages : fitting(pages, places, state))
  // A move looks at each of its sources in any case.
  if (find !== undefined || input.operation === 'move') return run.copy(pages)
  const standing = await openStanding({
    ...{ components, root: places.root, tree, signal: ctx.signal },
    rules: { ...take.rules, overwrite: input.overwrite },
    analysed: (path, counts) => tally.destination(path, counts),
    same: (files, bytes) => tally.same(files, bytes)
  })
  try {
    await run.copy(standing?.rest(pages) ?? pages)
  } finally {
    await standing?.close()
  }
}

/** Where blocks can be shared a copy may take no space at all. */
const sharesBlocks = ({ capabilities }: FileRoot): boolean =>
  ['btrfs', 'xfs', 'bcachefs', 'zfs'].includes(capabilities.fileSystem)

/**
 * Ends as soon as more was found than there is room for: discovery runs ahead of the copying.
 * @throws {SpacedriveError} NO_SPACE with the figures
 */
async function* fitting(
  pages: AsyncIterable<FoundPage>,
  { root, stagedBytes }: Places,
  { seen, counts }: CopyState
): AsyncGenerator<FoundPage> {
  const before = counts.copiedBytes + (await stagedBytes(LARGE as RelPath))
  const { freeBytes, totalBytes } = await root.space()
  const roomBytes = freeBytes - Math.ceil(totalBytes / COPY_RESERVE_SHARE)
  for await (const page of pages) {
    const neededBytes = seen.bytes - before
    if (neededBytes > roomBytes) {
      const mib = (n: number): string => `${Math.ceil(n / 2 ** 20).toLocaleString('en-US')} MiB`
      throw new SpacedriveError(
        'NO_SPACE',
        `could not copy all of it to ${displayPath(root.path)}: at least ${mib(neededBytes)} are needed, there is room for ${mib(Math.max(0, roomBytes))}`,
        {
          hint: 'Free some space and `job resume` it: what was copied is not copied again.',
          details: { neededBytes, roomBytes }
        }
      )
    }
    yield page
  }
}

/** A walk that goes over something again does not tell its problem again. */
export function tell(ctx: PhaseContext<Pick<CopyState, 'told'>>, problem: Problem): void {
  const key = `${problem.code} ${problem.path}`
  if (ctx.state.told.includes(key)) return
  if (ctx.state.told.length < MAX_TOLD) ctx.state.told.push(key)
  ctx.problem(problem)
}
