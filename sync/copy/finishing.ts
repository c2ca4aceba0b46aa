import type { Phase } from '../../storage/jobs/index.js'
import { tell } from './copying.js'
import { finishing } from './finish.worker.js'
import type { CopyInput } from './input.js'
import { openPlaces } from './places.js'
import type { CopyComponents } from './ports.js'
import { filterOf } from './rules.js'
import type { CopyState } from './state.js'
import type { Touched } from './touched.js'

/** Modes and times of directories, what a move left empty, and all of it on the disk. */
export function finishPhase(components: CopyComponents, input: CopyInput, touched: Touched): Phase<CopyState> {
  return {
    name: 'Finishing',
    async execute(ctx) {
      const { signal, state } = ctx
      const layout = state.layout!
      const places = await openPlaces({
        ...{ components, job: ctx.job, input, layout, state, signal },
        problem: p => tell(ctx, p)
      })
      const finish = async (remove: boolean): Promise<void> => {
        for (const [index, tree] of layout.trees.entries()) {
          const { copier } = await places.source(tree)
          const { tops, renames } = { tops: tree.names, renames: tree.renames }
          // A move takes away what is empty; owners are seen by looking; patterns leave folders out of the walk.
          const any = input.operation === 'move' || input.owner || input.include.length > 0
          const rules = {
            touched: any ? undefined : touched.of(index),
            filter: filterOf(input),
            keepTimes: input.keepTimes,
            owner: input.owner,
            remove
          }
          const out = await components.pool.run(finishing.finish, { ...copier, tops, renames, ...rules }, { signal })
          for (const p of out.problems) tell(ctx, p)
        }
      }
      try {
        await finish(false)
        if (input.operation === 'move') {
          // Names and modes of folders are on the disk before those they came from go.
          await places.root.sync({ signal })
          await finish(true)
        }
        if (state.counts.copied + state.counts.directories + state.counts.attributes > 0)
          await places.root.sync({ signal })
        await places.discard()
      } finally {
        await places.close()
      }
    }
  }
}
