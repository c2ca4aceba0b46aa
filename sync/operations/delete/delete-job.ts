import { z } from 'zod'
import type { AbsPath, JobId, Problem, RelPath, WorkerPool } from '../../../storage/base/index.js'
import type { Files } from '../../../storage/files/index.js'
import { defineJob, type JobDefinition, type PhaseContext } from '../../../storage/jobs/index.js'
import type { Trash } from '../../../storage/trash/index.js'
import { WorkPlace } from '../work-place.js'
import { type DeleteItem, deleting, type Handled } from './delete.worker.js'
import { type Protected, refusalOf } from './protect.js'

export interface DeleteJobInput {
  /** The list that `planDelete` wrote. */
  readonly work: string
  readonly permanent: boolean
  /** For lists: what was named. */
  readonly title: string
  /** Problems of the plan: told as the job's own. */
  readonly problems: readonly Problem[]
}

export interface DeleteJobState {
  readonly work: string
  items: number
  files: number
  bytes: number
  /** Removing for good: where it stopped in the first item of the list, and whether problems were told of it. */
  after: RelPath | null
  blamed: boolean
  /** What went of it so far. */
  partFiles: number
  partBytes: number
}

export interface DeleteComponents {
  readonly pool: WorkerPool
  readonly files: Files
  readonly trash: Trash
  readonly work: WorkPlace
  /** As it is when the job runs. */
  readonly protect: () => Promise<Protected>
}

export type DeleteJob = JobDefinition<DeleteJobInput, DeleteJobState, { items: number; files: number; bytes: number }>

/** Things thrown away between two checkpoints; a pause is heard after as many. */
const BATCH_ITEMS = 500

const problem = z.strictObject({ path: z.string(), code: z.string(), message: z.string() })

/**
 * Deletes what stands in a list, to the trash or for good. Phases as in seed 004: Validation, Deletion, Complete. Killed at any
 * moment it goes on where it was: what it threw away right before is known by the trash.
 */
export function deleteJob(components: DeleteComponents): DeleteJob {
  const { pool, work, protect } = components
  const fileOf = (input: DeleteJobInput): AbsPath => work.fileOf(input.work)
  return defineJob<DeleteJobInput, DeleteJobState, { items: number; files: number; bytes: number }>({
    kind: 'file-delete',
    summary: 'deletes files and folders',
    version: 1,
    input: z.strictObject({
      work: z.uuid(),
      permanent: z.boolean(),
      title: z.string(),
      problems: z.array(problem)
    }),
    title: ({ title, permanent }) => `delete ${title}${permanent ? ' for good' : ''}`,
    serial: ({ work: id }) => WorkPlace.serialOf(id),
    state: input => ({
      work: input.work,
      items: 0,
      files: 0,
      bytes: 0,
      after: null,
      blamed: false,
      partFiles: 0,
      partBytes: 0
    }),
    phases: input => [
      {
        name: 'Validation',
        async execute(ctx) {
          for (const p of input.problems) ctx.problem(p)
          const { files, bytes } = await pool.run(deleting.totals, { file: fileOf(input) }, { signal: ctx.signal })
          ctx.progress({ totalFiles: files, totalBytes: bytes })
        }
      },
      {
        name: 'Deletion',
        async execute(ctx) {
          const file = fileOf(input)
          const { files, bytes } = await pool.run(deleting.totals, { file }, { signal: ctx.signal })
          const { state } = ctx
          for (;;) {
            ctx.checkInterrupt()
            Object.assign(state, await pool.run(deleting.gone, { file }))
            const progress = { totalFiles: files, totalBytes: bytes }
            const { partFiles, partBytes } = state
            ctx.progress({ ...progress, doneFiles: state.files + partFiles, doneBytes: state.bytes + partBytes })
            const items = await pool.run(deleting.take, { file, limit: BATCH_ITEMS })
            if (items.length === 0) return
            const handled = await takeAway(components, ctx, input, items)
            await pool.run(deleting.done, { file, handled })
            await ctx.checkpoint()
          }
        }
      },
      {
        name: 'Complete',
        async execute(ctx) {
          const { items, files } = ctx.state // counted when nothing was left to take: the list may be gone already
          ctx.log(`${items} things with ${files} files ${input.permanent ? 'removed for good' : 'moved to the trash'}`)
          await work.drop(input.work)
        }
      }
    ],
    onCancel: state => work.drop(state.work),
    output: ({ items, files, bytes }) => ({ items, files, bytes })
  })

  /** @returns the items that are over with, well or not */
  async function takeAway(
    parts: DeleteComponents,
    ctx: PhaseContext<DeleteJobState>,
    input: DeleteJobInput,
    items: readonly DeleteItem[]
  ): Promise<Handled[]> {
    // A folder may have become a location, or something may have been mounted, while the job waited.
    const facts = await protect()
    const allowed = items.filter(item => {
      const refusal = refusalOf(item.at, facts)
      if (refusal !== undefined) ctx.problem(refusal)
      return refusal === undefined
    })
    const refused = items.filter(item => !allowed.includes(item)).map(({ n }): Handled => ({ n }))
    const handled = await (input.permanent ? removeForGood : throwAway)(parts, ctx, allowed)
    return [...refused, ...handled]
  }
}

async function throwAway(
  { trash }: DeleteComponents,
  ctx: PhaseContext<DeleteJobState>,
  items: readonly DeleteItem[]
): Promise<Handled[]> {
  const handled: Handled[] = []
  const left: DeleteItem[] = []
  for (const item of items) {
    if (item.begun && (await wasThrownAway(trash, ctx.job, item))) handled.push({ n: item.n, gone: item })
    else left.push(item)
  }
  const results = await trash.put(left, { command: 'file.delete', job: ctx.job })
  for (const [i, result] of results.entries()) {
    handled.push({ n: left[i]!.n, gone: result.done ? result : undefined })
    if (!result.done) ctx.problem(result.problem)
  }
  return handled
}

/** By this job, right before the program ended. */
async function wasThrownAway(trash: Trash, job: JobId, { at }: DeleteItem): Promise<boolean> {
  const { entries } = await trash.list({ job, path: at }, { limit: 1 })
  return entries.some(e => e.path === at)
}

async function removeForGood(
  { files }: DeleteComponents,
  ctx: PhaseContext<DeleteJobState>,
  items: readonly DeleteItem[]
): Promise<Handled[]> {
  const { state } = ctx
  const handled: Handled[] = []
  const { after, blamed } = state
  // Only the first item of the list can have been begun in part.
  const removed = await files.remove(items, { after: after ?? undefined, blamed })
  for (const [i, result] of removed.results.entries()) {
    const item = items[i]!
    const wasGone = result.problems[0]?.code === 'MISSING' && item.begun
    if (!wasGone) for (const p of result.problems) ctx.problem(p)
    const before = i === 0 ? { files: state.partFiles, bytes: state.partBytes } : { files: 0, bytes: 0 }
    const sum = wasGone ? item : { files: before.files + result.files, bytes: before.bytes + result.bytes }
    // Of a folder that stays for what is refused in it, the rest went.
    handled.push({ n: item.n, gone: result.problems.length === 0 || wasGone || sum.files > 0 ? sum : undefined })
  }
  if (removed.results.length > 0) Object.assign(state, { after: null, blamed: false, partFiles: 0, partBytes: 0 })
  const { part } = removed
  if (part !== undefined) {
    for (const p of part.problems) ctx.problem(p)
    state.partFiles += part.files
    state.partBytes += part.bytes
    state.after = removed.after ?? null
    state.blamed ||= part.problems.length > 0
  }
  return handled
}
