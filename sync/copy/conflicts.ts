import { type JobId, type RelPath, raceSignal, textFromBytes } from '../../storage/base/index.js'
import type { Phase, PhaseContext } from '../../storage/jobs/index.js'
import { type Answer, copyWrites } from './copy.worker.js'
import { copyTree, tell } from './copying.js'
import type { CopyInput } from './input.js'
import { openPlaces } from './places.js'
import type { CopyComponents } from './ports.js'
import { lookAgain } from './scan-pages.js'
import type { CopyState } from './state.js'
import { Tally } from './tally.js'
import type { Touched } from './touched.js'

/** Answers carried out together. */
const STRETCH = 500

interface Answered {
  tree: number
  path: Uint8Array
  source: Uint8Array
  answer: Answer
}

/** What stands in the way is asked about: the job rests until there are answers, and carries them out. */
export function asking(components: CopyComponents, input: CopyInput, touched: Touched): Phase<CopyState> {
  const { db } = components
  return {
    name: 'Conflicts',
    async execute(ctx) {
      for (;;) {
        ctx.checkInterrupt()
        const answered = db.all<Answered>(
          `SELECT tree, path, source, answer FROM copy_conflicts WHERE job = ? AND answer IS NOT NULL
           ORDER BY tree, answer, path LIMIT ?`,
          [ctx.job, STRETCH]
        )
        if (answered.length > 0) {
          await carryOut(components, input, ctx, answered, touched)
          continue
        }
        const { n } = db.get<{ n: number }>('SELECT count(*) AS n FROM copy_conflicts WHERE job = ?', [ctx.job])!
        ctx.state.seen.conflicts = n
        if (n === 0) return
        await restForAnswers(components, ctx, n)
      }
    }
  }
}

/** Until somebody resumes the job. @throws the reason of its pause */
export async function restForAnswers(
  { pause }: Pick<CopyComponents, 'pause'>,
  ctx: Pick<PhaseContext, 'job' | 'signal' | 'checkpoint'>,
  n: number
): Promise<void> {
  const what = n === 1 ? 'a file that exists waits' : `${n.toLocaleString('en-US')} files that exist wait`
  await ctx.checkpoint()
  // The pause itself waits until this phase has ended.
  void pause(ctx.job, `${what} for an answer: \`job resume --answer replace|skip|skip-newer\``).catch(() => {})
  await raceSignal(new Promise<never>(() => {}), ctx.signal)
}

async function carryOut(
  components: CopyComponents,
  input: CopyInput,
  ctx: PhaseContext<CopyState>,
  list: readonly Answered[],
  touched: Touched
): Promise<void> {
  const { tree: index, answer } = list[0]!
  const some = list.filter(r => r.tree === index && r.answer === answer)
  if (answer === 'skip') ctx.state.seen.skipped.exists += some.length
  else {
    const places = await openPlaces({
      ...{ components, job: ctx.job, input, layout: ctx.state.layout!, state: ctx.state, signal: ctx.signal },
      problem: p => tell(ctx, p)
    })
    try {
      const paths = some.map(r => textFromBytes(r.source) as RelPath)
      const tree = ctx.state.layout!.trees[index]!
      ctx.state.runs++
      const tally = new Tally(ctx)
      const copying = { components, input: { ...input, overwrite: answer }, ctx, tally, places, touched, last: true }
      await copyTree(copying, tree, index, copier => lookAgain(components.pool, copier, paths, ctx.signal))
    } finally {
      await places.close()
    }
  }
  await settle(components, ctx.job, some)
  await ctx.checkpoint()
}

async function settle({ db }: CopyComponents, job: JobId, rows: readonly Answered[]): Promise<void> {
  await db.write(copyWrites.settled, { job, paths: rows.map(r => r.path) })
}
