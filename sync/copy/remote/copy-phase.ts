import type { AbortOptions, JobId, RelPath } from '../../../storage/base/index.js'
import { SpacedriveError } from '../../../storage/base/index.js'
import type { Phase, PhaseContext } from '../../../storage/jobs/index.js'
import type { Endpoint, EndpointStage } from '../../endpoints/index.js'
import { tell } from '../copying.js'
import { nothingSeen } from '../state.js'
import { Tally } from '../tally.js'
import { devicesOf, type RemoteCopyInput } from './input.js'
import { layOutRemote, type RemoteLayout } from './layout.js'
import { type OpenEnds, withOpenEnds } from './open-ends.js'
import type { Ends, RemoteCopyComponents } from './ports.js'
import { reaching } from './reaching.js'
import { renameWhole } from './renaming.js'
import { keepOld } from './replaced.js'
import type { RemoteCopyState } from './state.js'
import { copyRemoteTree } from './tree-run.js'
import type { Waits } from './waits.js'

export interface RemotePhaseInit {
  readonly components: RemoteCopyComponents
  readonly input: RemoteCopyInput
  readonly waits: Waits
}

type Ctx = PhaseContext<RemoteCopyState>

/** Finds, decides, copies; over again when the other device was away. */
export function remoteCopying({ components, input, waits }: RemotePhaseInit): Phase<RemoteCopyState> {
  return {
    name: 'Copying',
    execute: ctx =>
      reaching({ ends: components.ends, waits, devices: devicesOf(input) }, ctx, () =>
        withOpenEnds(components.ends, opened => copyAll({ components, input, waits }, ctx, opened))
      )
  }
}

async function copyAll({ components, input }: RemotePhaseInit, ctx: Ctx, opened: OpenEnds): Promise<void> {
  const { state, signal } = ctx
  if (state.beganNs === 0n) state.beganNs = BigInt(ctx.clock.nowMs()) * 1_000_000n
  state.layout ??= await layOutRemote(opened, input, { signal })
  state.seen = nothingSeen()
  state.copiedBefore = state.counts.copied
  state.runs++
  const tally = new Tally(ctx)
  await ctx.checkpoint()
  await withDestination({ ends: opened }, input, ctx, state.layout, async (destination, stage, keep) => {
    await ensureFolder(destination, state.layout!, { signal })
    await renameWhole(components.ends, input, state.layout!, {
      signal,
      async renamed() {
        state.counts.renamed++
        await ctx.checkpoint()
      }
    })
    for (const [index, tree] of state.layout!.trees.entries()) {
      const source = await opened.open(tree.folder, input.operation === 'move' ? 'write' : 'read', { signal })
      try {
        await copyRemoteTree({
          ...{ components, input, ctx, tally, source, destination, stage, tree, index },
          ...{ overwrite: input.overwrite, sourceDevice: tree.folder.device }
        })
      } finally {
        await source.close()
      }
    }
    tally.foundAll()
    if ((await keep()) && state.seen.conflicts === 0) await stage.discard({ signal })
  })
}

/**
 * Opens the destination and its stage; what an earlier try left of replacements goes to the trash first.
 * @param work - `keep` does so again: true when nothing that was replaced lies in the stage, which may then be removed
 */
export async function withDestination(
  { ends }: { readonly ends: Pick<Ends, 'open'> },
  input: Pick<RemoteCopyInput, 'operation' | 'keep'>,
  ctx: Ctx,
  layout: RemoteLayout,
  work: (destination: Endpoint, stage: EndpointStage, keep: () => Promise<boolean>) => Promise<void>
): Promise<void> {
  const { signal, state } = ctx
  const destination = await ends.open(layout.root, 'write', { signal })
  try {
    // Asked for beside: the copying needs them next, and nothing else does.
    destination.capabilities({ signal }).catch(() => {})
    const stage = await destination.openStage(ctx.job, { signal })
    try {
      const init = { ...input, destination, stage, job: ctx.job as JobId, problem: (p: never) => tell(ctx, p) }
      const keep = async (): Promise<boolean> => {
        const clean = await keepOld(init, state.replacing, { signal })
        if (clean) state.replacing = []
        return clean
      }
      await keep()
      await work(destination, stage, keep)
    } finally {
      await stage.close().catch(() => {}) // discarded, or out of reach
    }
  } finally {
    await destination.close()
  }
}

/** The folder that everything goes into. */
async function ensureFolder(destination: Endpoint, { make }: RemoteLayout, options: AbortOptions): Promise<void> {
  if (make === '') return
  const path = make as RelPath
  const [there] = await destination.look([path], options)
  if (there?.entry?.stat.kind === 'directory') return
  const [made] = await destination.place([{ kind: 'make-directory', path }], options)
  if (made?.done === false) throw new SpacedriveError(made.problem.code, made.problem.message)
}
