import { z } from 'zod'
import { type AbsPath, displayPath } from '../../../storage/base/index.js'
import { defineJob, type JobDefinition } from '../../../storage/jobs/index.js'
import type { Trash, TrashFilter } from '../../../storage/trash/index.js'

export interface EmptyJobInput {
  /** Thrown away before that time, milliseconds since 1970. */
  readonly beforeMs?: number | undefined
  readonly ids?: readonly number[] | undefined
  readonly path?: string | undefined
}

export interface Emptied {
  readonly items: number
  readonly files: number
  readonly bytes: number
}

export type EmptyJob = JobDefinition<EmptyJobInput, Emptied, { items: number; files: number; bytes: number }>

export function trashFilter({ beforeMs, ids, path }: EmptyJobInput): TrashFilter {
  return { beforeMs, ids, path: path as AbsPath | undefined }
}

/** Removes things in the trash for good. The trash itself knows how far it is: killed, it goes on with what is left. */
export function emptyTrashJob(trash: Trash): EmptyJob {
  return defineJob<EmptyJobInput, Emptied, { items: number; files: number; bytes: number }>({
    kind: 'trash-empty',
    summary: 'removes what is in the trash for good',
    version: 1,
    input: z.strictObject({
      beforeMs: z.number().int().optional(),
      ids: z.array(z.number().int()).max(10_000).optional(),
      path: z.string().startsWith('/').optional()
    }),
    title: ({ path, ids }) =>
      path !== undefined
        ? `empty the trash of ${displayPath(path)}`
        : ids !== undefined
          ? `remove ${ids.length} from the trash`
          : 'empty the trash',
    serial: () => 'trash-empty',
    state: () => ({ items: 0, files: 0, bytes: 0 }),
    phases: input => [
      {
        name: 'Emptying',
        async execute(ctx) {
          const filter = trashFilter(input)
          const { totals } = await trash.list(filter, { limit: 1, signal: ctx.signal })
          const before = ctx.state
          const totalFiles = before.files + totals.files
          const totalBytes = before.bytes + totals.bytes
          const add = ({ items, files, bytes }: Emptied): void => {
            ctx.state = { items: before.items + items, files: before.files + files, bytes: before.bytes + bytes }
            ctx.progress({ doneFiles: ctx.state.files, doneBytes: ctx.state.bytes, totalFiles, totalBytes })
          }
          const emptied = await trash.remove(filter, { signal: ctx.signal, onProgress: add })
          add(emptied)
          for (const p of emptied.problems) ctx.problem({ ...p, path: displayPath(p.path) })
        }
      }
    ],
    output: ({ items, files, bytes }) => ({ items, files, bytes })
  })
}
