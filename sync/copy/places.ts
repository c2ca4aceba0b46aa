import type { AbsPath, JobId, Problem, RelPath } from '../../storage/base/index.js'
import type { CopierInit, EntryStat, FileRoot, FileSource, Staging } from '../../storage/files/index.js'
import { finishing } from './finish.worker.js'
import type { CopyInput } from './input.js'
import type { Layout, Tree } from './layout.js'
import { ASIDE, throwAway } from './placer.js'
import type { CopyComponents } from './ports.js'
import { keepReplaced } from './replacing.js'
import type { CopyState } from './state.js'
import { ensureVolumes } from './volumes.js'

/** The folder that is copied into and the staging place there, open. */
export interface Places {
  readonly root: FileRoot
  readonly staging: Staging
  /** Opens the folder of a tree; closed with the rest. */
  source(tree: Tree): Promise<OpenTree>
  /** What lies staged below `top`, of a run that was cut short. */
  stagedBytes(top: RelPath): Promise<number>
  /** Leaves nothing behind but what could not be put into the trash. */
  discard(): Promise<void>
  close(): Promise<void>
}

export interface OpenTree {
  readonly copier: CopierInit & { readonly staging: NonNullable<CopierInit['staging']> }
  /** A rename reaches from there to the destination. */
  readonly sameVolume: boolean
}

/** What was replaced and lies aside is looked for in stretches of so many. */
const LEFT_STRETCH = 1000

export interface PlacesInit {
  readonly components: CopyComponents
  readonly job: JobId
  readonly input: CopyInput
  readonly layout: Layout
  readonly state: Pick<CopyState, 'replacing' | 'volumes'>
  readonly signal: AbortSignal
  problem(problem: Problem): void
}

/** Opens both ends. What an earlier run left aside goes to the trash first. */
export async function openPlaces(init: PlacesInit): Promise<Places> {
  const { components, job, layout, signal } = init
  await ensureVolumes(components, init.state.volumes ?? {}) // a job of before has none
  const root = await components.files.openRoot(layout.root, { create: layout.makeRoot, signal })
  const sources: FileSource[] = []
  let staging: Staging
  try {
    staging = await root.openStaging(job, { signal })
  } catch (err) {
    await root.close()
    throw err
  }
  const close = async (): Promise<void> => {
    for (const source of sources.splice(0)) await source.close()
    await staging.close()
    await root.close()
  }
  try {
    const clean = (await tidyReplacing(init, root, staging)) && (await tidyAside(init, root, staging))
    return {
      root,
      staging,
      async source(tree) {
        const source = await components.files.openSource(tree.folder, { signal })
        sources.push(source)
        const { device, mount } = source.handle
        return {
          copier: { source: source.handle, target: root.handle, staging: staging.handle },
          sameVolume: device === root.handle.device && mount === root.handle.mount
        }
      },
      stagedBytes: async top =>
        (await leftIn(init, staging, top)).reduce((sum, { stat }) => sum + (stat.allocatedBytes ?? stat.sizeBytes), 0),
      async discard() {
        if (clean && (await tidyAside(init, root, staging))) await staging.discard()
      },
      close
    }
  } catch (err) {
    await close()
    throw err
  }
}

/** What was being replaced when an earlier run was cut short. @returns false when something of it could not be kept */
async function tidyReplacing(init: PlacesInit, root: FileRoot, staging: Staging): Promise<boolean> {
  const { components, layout, state, signal } = init
  const left = state.replacing ?? [] // a job of before has none
  let clean = true
  for (const [index, tree] of layout.trees.entries()) {
    const some = left.filter(r => r.tree === index)
    if (some.length === 0) continue
    const source = await components.files.openSource(tree.folder, { signal })
    try {
      if (!(await keepReplaced({ ...init, root, staging }, source.handle, some))) clean = false
    } finally {
      await source.close()
    }
  }
  if (clean) state.replacing = []
  return clean
}

/** @returns false when something could not be put into the trash: it stays, and was told */
async function tidyAside(init: PlacesInit, root: FileRoot, staging: Staging): Promise<boolean> {
  for (;;) {
    const found = await leftIn(init, staging, ASIDE as RelPath)
    if (found.length === 0) return true
    const list = found.map(({ path, stat }) => ({ path: path.slice(ASIDE.length + 1) as RelPath, expected: stat }))
    if (!(await throwAway({ ...init, root, staging }, list))) return false
  }
}

/** Files and links that lie staged below `top`, the first LEFT_STRETCH. */
async function leftIn(
  { components, signal }: PlacesInit,
  staging: Staging,
  top: RelPath
): Promise<{ path: RelPath; stat: EntryStat }[]> {
  const source = await components.files.openSource(staging.contentPath as AbsPath, { signal })
  try {
    const input = { source: source.handle, top, limit: LEFT_STRETCH }
    return await components.pool.run(finishing.left, input, { signal })
  } finally {
    await source.close()
  }
}
