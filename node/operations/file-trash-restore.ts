import { z } from 'zod'
import { dispatchAction } from '../../storage/audit/index.js'
import {
  type AbsPath,
  displayPath,
  type Problem,
  type ProgressFields,
  SpacedriveError
} from '../../storage/base/index.js'
import type { RestoreOutput, RestorePlan } from '../../sync/operations/index.js'
import { endOfJob, type FileJobEnd, showBegun, showJobProblems } from './file-job.js'
import { counted, pathFields, showList, showProblems } from './file-text.js'
import { jobAnywhere } from './job-text.js'
import { jobGoesOn } from './job-wait.js'
import { defineOperation } from './operation.js'
import { progressLine } from './progress.js'
import { resolveTyped } from './typed-path.js'

/** Ids are numbers; everything else is a path. */
const isId = (what: string): boolean => /^[1-9]\d{0,15}$/.test(what)

const input = z.strictObject({
  /** Ids, or absolute paths: the newest of what was there, or everything that was below. */
  what: z.array(z.string().min(1)).max(100_000).default([]),
  /** Everything that this job threw away. */
  job: z.string().optional(),
  to: z.string().startsWith('/').optional(),
  dryRun: z.boolean().default(false),
  wait: z.boolean().default(true)
})

export interface RestoredView {
  readonly dryRun: boolean
  readonly items: number
  readonly files: number
  readonly bytes: number
  /** The first of them: what came back, or would. */
  readonly restored: readonly ReturnType<typeof view>[]
  /** With `dryRun`: what would stay in the trash. */
  readonly problems: readonly Problem[]
  readonly problemCount: number
  readonly job: string | null
  readonly ended: FileJobEnd<RestoreOutput> | null
}

export const fileTrashRestore = defineOperation<'file.trash.restore', typeof input, RestoredView, ProgressFields>({
  name: 'file.trash.restore',
  summary: 'Bring back what was deleted or replaced',
  input,
  async run(context, { what, job: from, to, dryRun, wait }) {
    const { peer, signal } = context
    const folder = to as AbsPath | undefined
    const preview = async (): Promise<RestorePlan> =>
      peer.operations.planRestore(
        {
          ids: what.filter(isId).map(Number),
          paths: what.filter(w => !isId(w)) as AbsPath[],
          ...(from !== undefined && { job: jobAnywhere(peer, from) }),
          ...(folder !== undefined && { to: folder })
        },
        { signal }
      )
    if (dryRun) {
      const plan = await preview()
      await peer.operations.dropPlan(plan)
      const { items, files, bytes, problems, problemCount } = plan
      const restored = plan.list.map(i => view(i, i.at))
      return { dryRun, items, files, bytes, restored, problems, problemCount, job: null, ended: null }
    }
    const { preview: plan, job } = await dispatchAction(peer.audit, {
      command: 'file.trash.restore',
      asked: what.slice(0, 20).map(displayPath),
      preview,
      describe: ({ list, items }) => ({
        paths: list.slice(0, 20).map(i => displayPath(i.origin)),
        pathCount: items,
        ...(to !== undefined && { details: { to: displayPath(to) } })
      }),
      begin: planned => peer.operations.beginRestore(planned, { to: folder })
    })
    const begun = { dryRun, items: plan.items, files: plan.files, bytes: plan.bytes, job }
    const { problems, problemCount } = plan
    if (!wait) return { ...begun, restored: plan.list.map(i => view(i, i.at)), problems, problemCount, ended: null }
    const ended = await endOfJob<RestoreOutput>(context, job)
    const { items, files, bytes } = ended.output
    const told = { problems: ended.problems, problemCount: ended.problemCount }
    return { ...begun, items, files, bytes, restored: whatCame(plan, ended.output), ...told, ended }
  },
  command: {
    path: 'file trash restore',
    arguments: [['[what...]', 'ids of `file trash list`, or the places where things were']],
    options: [
      ['--job <job>', 'everything that this job threw away'],
      ['--to <folder>', 'into this folder instead of the old place'],
      ['--dry-run', 'only show what would come back, and where'],
      ['--no-wait', 'leave it to the daemon']
    ],
    examples: [
      'spacedrive file trash restore 42',
      'spacedrive file trash restore ~/Documents/letter.odt',
      'spacedrive file trash restore --job 3f2a9c1e'
    ],
    input({ arguments: [what], options: o }, { cwd }) {
      const list = ((what ?? []) as readonly string[]).map(w => (isId(w) ? w : resolveTyped(cwd, w)))
      if (list.length === 0 && o.job === undefined) {
        throw new SpacedriveError('USAGE', 'nothing was named to restore', {
          hint: 'Name ids or places; `spacedrive file trash list` shows them.'
        })
      }
      return {
        what: list,
        ...(o.job === undefined ? {} : { job: String(o.job) }),
        ...(o.to === undefined ? {} : { to: resolveTyped(cwd, String(o.to)) }),
        dryRun: o.dryRun === true,
        wait: o.wait !== false
      }
    },
    left: jobGoesOn,
    progress: (value, terminal) => terminal.status(progressLine(value, terminal)),
    render({ dryRun, items, restored, problems, problemCount, job, ended }, terminal) {
      const things = counted(items, 'thing')
      if (!dryRun && ended === null) {
        showBegun(`${things} ${items === 1 ? 'comes' : 'come'} back`, job!, terminal)
        return
      }
      terminal.line(`${things} ${dryRun ? 'would come back' : items === 1 ? 'is back' : 'are back'}:`)
      showList(
        restored.map(r => (r.path === r.was ? r.path : `${r.path}  (was ${r.was})`)),
        terminal,
        items
      )
      if (ended === null) showProblems(problems, problemCount, terminal)
      else showJobProblems(ended, terminal)
    },
    exitCode: ({ problemCount }) => (problemCount > 0 ? 3 : 0)
  }
})

/** The first of what came back, under the name that it really got. */
function whatCame({ list }: RestorePlan, { elsewhere, stayed }: RestoreOutput): ReturnType<typeof view>[] {
  const places = new Map(elsewhere.map(e => [e.id, e.path]))
  const not = new Set(stayed)
  return list.filter(i => !not.has(i.id)).map(i => view(i, places.get(i.id) ?? i.at))
}

const view = (item: RestorePlan['list'][number], path: string) => ({
  id: item.id,
  ...pathFields(path),
  was: displayPath(item.origin),
  kind: item.kind,
  files: item.files,
  bytes: item.bytes
})
