import {
  type AbortOptions,
  comparePaths,
  parentOf,
  type RelPath,
  ROOT,
  textFromBytes
} from '../../../storage/base/index.js'
import type { Phase, PhaseContext } from '../../../storage/jobs/index.js'
import { type Endpoint, MAX_LOOKS, type TreeEntry } from '../../endpoints/index.js'
import { restForAnswers } from '../conflicts.js'
import type { Answer } from '../copy.worker.js'
import { copyWrites } from '../copy.worker.js'
import { Tally } from '../tally.js'
import { type RemotePhaseInit, withDestination } from './copy-phase.js'
import { devicesOf } from './input.js'
import { reaching } from './reaching.js'
import type { RemoteCopyState } from './state.js'
import { copyRemoteTree } from './tree-run.js'

/** Answers carried out together. */
const STRETCH = 250

interface Row {
  tree: number
  path: Uint8Array
  source: Uint8Array
  answer: Answer
}

/** What stands in the way is asked about: the job rests until there are answers, and carries them out. */
export function remoteAsking(init: RemotePhaseInit): Phase<RemoteCopyState> {
  const { components, input, waits } = init
  return {
    name: 'Conflicts',
    execute: ctx =>
      reaching({ ends: components.ends, waits, devices: devicesOf(input) }, ctx, async () => {
        for (;;) {
          ctx.checkInterrupt()
          const answered = components.db.all<Row>(
            `SELECT tree, path, source, answer FROM copy_conflicts WHERE job = ? AND answer IS NOT NULL
             ORDER BY tree, answer, path LIMIT ?`,
            [ctx.job, STRETCH]
          )
          if (answered.length > 0) {
            await carryOut(init, ctx, answered)
            continue
          }
          const { n } = components.db.get<{ n: number }>('SELECT count(*) AS n FROM copy_conflicts WHERE job = ?', [
            ctx.job
          ])!
          ctx.state.seen.conflicts = n
          if (n > 0) await restForAnswers(components, ctx, n)
          await discard(init, ctx)
          return
        }
      })
  }
}

async function carryOut(
  { components, input }: RemotePhaseInit,
  ctx: PhaseContext<RemoteCopyState>,
  list: readonly Row[]
): Promise<void> {
  const { tree: index, answer } = list[0]!
  const { state, signal } = ctx
  const some = list.filter(r => r.tree === index && r.answer === answer)
  if (answer === 'skip') state.seen.skipped.exists += some.length
  else {
    const tree = state.layout!.trees[index]!
    state.runs++
    const paths = some.map(r => textFromBytes(r.source) as RelPath)
    await withDestination(components, input, ctx, state.layout!, async (destination, stage) => {
      const source = await components.ends.open(tree.folder, input.operation === 'move' ? 'write' : 'read', { signal })
      try {
        await copyRemoteTree({
          ...{ components, input, ctx, tally: new Tally(ctx), source, destination, stage, tree, index },
          ...{ overwrite: answer, sourceDevice: tree.folder.device },
          entries: () => lookAgain(source, paths, { signal })
        })
      } finally {
        await source.close()
      }
    })
  }
  await components.db.write(copyWrites.settled, { job: ctx.job, paths: some.map(r => r.path) })
  await ctx.checkpoint()
}

/** These as they are now, with the folders around them, in tree order; what is gone is left out. */
async function* lookAgain(
  source: Endpoint,
  paths: readonly RelPath[],
  options: AbortOptions
): AsyncGenerator<readonly TreeEntry[], void, void> {
  const wanted = new Set<RelPath>(paths)
  for (const path of paths) for (let dir = parentOf(path); dir !== ROOT; dir = parentOf(dir)) wanted.add(dir)
  const all = [...wanted].sort(comparePaths)
  for (let at = 0; at < all.length; at += MAX_LOOKS) {
    const looked = await source.look(all.slice(at, at + MAX_LOOKS), options)
    const there = looked.flatMap(({ entry }) => entry ?? [])
    if (there.length > 0) yield there
  }
}

async function discard({ components, input }: RemotePhaseInit, ctx: PhaseContext<RemoteCopyState>): Promise<void> {
  await withDestination(components, input, ctx, ctx.state.layout!, async (_, stage, keep) => {
    if (await keep()) await stage.discard({ signal: ctx.signal })
  })
}
