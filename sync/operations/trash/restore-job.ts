import { z } from 'zod'
import { type AbsPath, displayPath, type JobId } from '../../../storage/base/index.js'
import { defineJob, type JobDefinition, type JobManager, type PhaseContext } from '../../../storage/jobs/index.js'
import { titleOf } from '../title.js'
import { WorkPlace } from '../work-place.js'
import type { RestoreComponents, RestorePlan } from './plan-restore.js'
import { type RestoreHandled, type RestoreItem, restoring } from './restore.worker.js'

export interface RestoreJobInput {
  /** The list that `planRestore` wrote. */
  readonly work: string
  /** Into this folder instead of the old places. */
  readonly to: string | null
  /** For lists: what comes back. */
  readonly title: string
}

export interface RestoreJobState {
  readonly work: string
  items: number
  files: number
  bytes: number
  /** Of the first of the list (MAX_NAMED): those that got another name than was planned, and those that stayed in the trash. */
  elsewhere: { id: number; path: string }[]
  stayed: number[]
}

export type RestoreOutput = {
  items: number
  files: number
  bytes: number
  elsewhere: { id: number; path: string }[]
  stayed: number[]
}

export type RestoreJob = JobDefinition<RestoreJobInput, RestoreJobState, RestoreOutput>

/** Things brought back between two checkpoints; a pause is heard after as many. */
const BATCH_ITEMS = 200
/** Problems and other names that are told one by one. */
const MAX_NAMED = 1_000

/**
 * Brings back what stands in a list. Killed at any moment it goes on where it was: what came back right before is no longer in
 * the trash, and is found at its place again.
 */
export function restoreTrashJob({ pool, trash, work }: RestoreComponents): RestoreJob {
  return defineJob<RestoreJobInput, RestoreJobState, RestoreOutput>({
    kind: 'trash-restore',
    summary: 'brings back what was deleted or replaced',
    version: 1,
    input: z.strictObject({ work: z.uuid(), to: z.string().startsWith('/').nullable(), title: z.string() }),
    title: ({ title }) => `restore ${title}`,
    serial: ({ work: id }) => WorkPlace.serialOf(id),
    state: input => ({ work: input.work, items: 0, files: 0, bytes: 0, elsewhere: [], stayed: [] }),
    phases: input => {
      const file = work.fileOf(input.work)
      return [
        {
          name: 'Validation',
          async execute(ctx) {
            for (const p of await pool.run(restoring.problems, { file, limit: MAX_NAMED }, { signal: ctx.signal }))
              ctx.problem(p)
            const { files, bytes } = await pool.run(restoring.totals, { file }, { signal: ctx.signal })
            ctx.progress({ totalFiles: files, totalBytes: bytes })
          }
        },
        {
          name: 'Restoring',
          async execute(ctx) {
            const total = await pool.run(restoring.totals, { file }, { signal: ctx.signal })
            for (;;) {
              ctx.checkInterrupt()
              const back = await pool.run(restoring.back, { file })
              Object.assign(ctx.state, back)
              ctx.progress({
                ...{ totalFiles: total.files, totalBytes: total.bytes },
                ...{ doneFiles: back.files, doneBytes: back.bytes }
              })
              const items = await pool.run(restoring.take, { file, limit: BATCH_ITEMS })
              if (items.length === 0) return
              await pool.run(restoring.done, { file, handled: await bringBack(ctx, file, input, items) })
              await ctx.checkpoint()
            }
          }
        },
        {
          name: 'Complete',
          async execute(ctx) {
            ctx.log(`${ctx.state.items} things with ${ctx.state.files} files are back`)
            await work.drop(input.work)
          }
        }
      ]
    },
    onCancel: state => work.drop(state.work),
    output: ({ items, files, bytes, elsewhere, stayed }) => ({ items, files, bytes, elsewhere, stayed })
  })

  async function bringBack(
    ctx: PhaseContext<RestoreJobState>,
    file: AbsPath,
    { to }: RestoreJobInput,
    items: readonly RestoreItem[]
  ): Promise<RestoreHandled[]> {
    const before = await cameBackBefore(file, items)
    const ids = items.map(i => i.id).filter(id => !before.has(id))
    // Not to be cut off once it has begun: what came back is written down.
    const results = ids.length === 0 ? [] : await trash.restore(ids, to === null ? {} : { to: to as AbsPath })
    const problemOf = new Map(results.flatMap(r => (r.done ? [] : [[r.id, r.problem] as const])))
    const placeOf = new Map([...before, ...results.flatMap(r => (r.done ? [[r.id, r.path] as const] : []))])
    return items.map(({ id, at }): RestoreHandled => {
      const place = placeOf.get(id)
      const { elsewhere, stayed } = ctx.state
      if (place === undefined) {
        const problem = problemOf.get(id)!
        ctx.problem({ ...problem, path: displayPath(problem.code === 'NOT_IN_TRASH' ? at : problem.path) })
        if (stayed.length < MAX_NAMED && !stayed.includes(id)) stayed.push(id)
      } else if (place !== at && elsewhere.length < MAX_NAMED && !elsewhere.some(e => e.id === id)) {
        elsewhere.push({ id, path: place })
      }
      return { id, at: place }
    })
  }

  /** By this job, right before the program ended. */
  async function cameBackBefore(file: AbsPath, items: readonly RestoreItem[]): Promise<Map<number, AbsPath>> {
    const begun = items.filter(i => i.begun).map(i => i.id)
    if (begun.length === 0) return new Map()
    const { entries } = await trash.list({ ids: begun }, { limit: begun.length })
    const still = new Set(entries.map(e => e.id))
    const found = await pool.run(restoring.cameBack, { file, ids: begun.filter(id => !still.has(id)) })
    return new Map(found.flatMap(({ id, at }) => (at === undefined ? [] : [[id, at] as const])))
  }
}

/** Begins the job that does what was planned. */
export async function beginRestore(
  jobs: Pick<JobManager, 'dispatch'>,
  job: RestoreJob,
  { work, list, items }: RestorePlan,
  to: AbsPath | undefined
): Promise<JobId> {
  const title = titleOf(list.slice(0, 1).map(i => i.origin)) + (items > 1 ? ` and ${items - 1} more` : '')
  return (await jobs.dispatch(job, { work, to: to ?? null, title })).id
}
