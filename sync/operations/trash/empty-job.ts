import { z } from 'zod'
import { type AbsPath, displayPath } from '../../../storage/base/index.js'
import { defineJob, type JobDefinition } from '../../../storage/jobs/index.js'
import type { Trash, TrashFilter } from '../../../storage/trash/index.js'

export interface EmptyJobInput {
  /** Thrown away before that time, milliseconds since 1970. */
  readonly beforeMs?: number | undefined
  readonly ids?: readonly number[] | undefined
  readonly path?: string | undefined
  /** What comes to the trash after it was asked about stays. */
  readonly uptoId?: number | undefined
}

export interface Emptied {
  readonly items: number
  readonly files: number
  readonly bytes: number
}

export interface EmptyJobState extends Emptied {
  /** What lay there at the last checkpoint: what is gone of it after a crash was removed right before. */
  readonly left: Emptied | null
}

export type EmptyJob = JobDefinition<EmptyJobInput, EmptyJobState, { items: number; files: number; bytes: number }>

/** Things removed between two checkpoints. */
const STRETCH_ITEMS = 500

export function trashFilter({ beforeMs, ids, path, uptoId }: EmptyJobInput): TrashFilter {
  return { beforeMs, ids, path: path as AbsPath | undefined, uptoId }
}

/** Removes things in the trash for good. The trash itself knows how far it is: killed, it goes on with what is left. */
export function emptyTrashJob(trash: Trash): EmptyJob {
  return defineJob<EmptyJobInput, EmptyJobState, { items: number; files: number; bytes: number }>({
    kind: 'trash-empty',
    summary: 'removes what is in the trash for good',
    version: 2,
    input: z.strictObject({
      beforeMs: z.number().int().optional(),
      ids: z.array(z.number().int()).max(10_000).optional(),
      path: z.string().startsWith('/').optional(),
      uptoId: z.number().int().optional()
    }),
    title: ({ path, ids }) =>
      path !== undefined
        ? `empty the trash of ${displayPath(path)}`
        : ids !== undefined
          ? `remove ${ids.length} from the trash`
          : 'empty the trash',
    serial: () => 'trash-empty',
    state: () => ({ items: 0, files: 0, bytes: 0, left: null }),
    phases: input => [
      {
        name: 'Emptying',
        async execute(ctx) {
          const filter = trashFilter(input)
          const lying = async (): Promise<Emptied> =>
            (await trash.list(filter, { limit: 1, signal: ctx.signal })).totals
          let left = await lying()
          const { state } = ctx
          if (state.left !== null) ctx.state = plus(state, minus(state.left, left))
          const all = plus(ctx.state, left)
          const told = new Set<string>()
          try {
            for (let more = true; more; ) {
              ctx.state = { ...ctx.state, left }
              await ctx.checkpoint()
              const before = ctx.state
              const tell = (soFar: Emptied): void => {
                ctx.state = plus(before, soFar)
                const done = { doneFiles: ctx.state.files, doneBytes: ctx.state.bytes }
                ctx.progress({ ...done, totalFiles: all.files, totalBytes: all.bytes })
              }
              const emptied = await trash.remove(filter, { signal: ctx.signal, limit: STRETCH_ITEMS, onProgress: tell })
              tell(emptied)
              // What stays is tried again with each stretch.
              const fresh = emptied.problems.filter(p => !told.has(`${p.code} ${p.path}`))
              for (const p of fresh) {
                told.add(`${p.code} ${p.path}`)
                ctx.problem({ ...p, path: displayPath(p.path) })
              }
              more = emptied.items >= STRETCH_ITEMS
              left = await lying()
            }
          } catch (err) {
            // Not after a crash: what goes from here on was not removed by this job.
            ctx.state = { ...ctx.state, left: null }
            throw err
          }
        }
      }
    ],
    output: ({ items, files, bytes }) => ({ items, files, bytes })
  })
}

const plus = (a: Emptied, b: Emptied): EmptyJobState => ({
  items: a.items + b.items,
  files: a.files + b.files,
  bytes: a.bytes + b.bytes,
  left: null
})

const minus = (a: Emptied, b: Emptied): Emptied => ({
  items: a.items - b.items,
  files: a.files - b.files,
  bytes: a.bytes - b.bytes
})
