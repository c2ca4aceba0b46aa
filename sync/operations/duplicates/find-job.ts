import { z } from 'zod'
import type { AbsPath, WorkerPool } from '../../../storage/base/index.js'
import { defineJob, type JobDefinition } from '../../../storage/jobs/index.js'
import { collecting, type IndexSource } from '../collect.worker.js'
import { collectionPhase } from '../collecting.js'
import { readAll } from '../read-all.js'
import { titleOf } from '../title.js'
import { WorkPlace } from '../work-place.js'
import { type GroupTotals, grouping } from './groups.worker.js'
import { type ReadResult, reading } from './reading.worker.js'

export interface FindJobInput {
  readonly work: string
  /** Real paths, none within another. */
  readonly roots: readonly string[]
  readonly minBytes: number
}

export interface FindJobState {
  readonly work: string
  /** Read so far. */
  files: number
  bytes: number
  totals: GroupTotals
}

export interface FindComponents {
  readonly pool: WorkerPool
  readonly work: WorkPlace
  /** Open libraries: their hashes are used where the stat vouches. */
  readonly libraries: () => readonly IndexSource[]
  /** Our own places. */
  readonly ours: () => readonly AbsPath[]
}

export type FindJob = JobDefinition<
  FindJobInput,
  FindJobState,
  { groups: number; files: number; wasteBytes: number; hardLinks: number; work: string }
>

/**
 * Finds files with the same content: by size, then by sample, then by BLAKE3 of the whole. Phases as in seed 004: Collection,
 * GroupBy, Analysis, Complete. What was read is kept in the list, so that nothing is read twice.
 */
export function findDuplicatesJob({ pool, work, libraries, ours }: FindComponents): FindJob {
  return defineJob<
    FindJobInput,
    FindJobState,
    { groups: number; files: number; wasteBytes: number; hardLinks: number; work: string }
  >({
    kind: 'file-duplicates',
    summary: 'finds files with the same content',
    version: 2,
    input: z.strictObject({
      work: z.uuid(),
      roots: z.array(z.string().startsWith('/')).min(1),
      minBytes: z.number().int().min(0)
    }),
    title: ({ roots }) => `duplicates in ${titleOf(roots)}`,
    serial: input => WorkPlace.serialOf(input.work),
    state: input => ({
      work: input.work,
      files: 0,
      bytes: 0,
      totals: { groups: 0, files: 0, wasteBytes: 0, hardLinks: 0 }
    }),
    phases: input => {
      const file = work.fileOf(input.work)
      return [
        collectionPhase({ pool, file, roots: input.roots, minBytes: input.minBytes, ours }),
        {
          name: 'GroupBy',
          async execute(ctx) {
            const same = await pool.run(grouping.bySize, { file }, { signal: ctx.signal })
            const known = await pool.run(collecting.fromIndex, { file, libraries: libraries() }, { signal: ctx.signal })
            const used = await pool.run(grouping.useKnown, { file })
            ctx.log(`${same.files} files share their size with another; ${used} of ${known} hashes in the index hold`)
          }
        },
        {
          name: 'Analysis',
          async execute(ctx) {
            const store = async ({ outcomes, problems }: ReadResult): Promise<void> => {
              await pool.run(grouping.store, { file, outcomes })
              for (const p of problems) ctx.problem(p)
            }
            await readAll(ctx, {
              ...{ pool, file, store, take: grouping.toSample },
              read: files => pool.run(reading.sample, { files }, { signal: ctx.signal })
            })
            const left = await pool.run(grouping.bySample, { file }, { signal: ctx.signal })
            const { state } = ctx
            const total = { totalFiles: state.files + left.files, totalBytes: state.bytes + left.bytes }
            const tell = (files: number, bytes: number): void => {
              state.files += files
              state.bytes += bytes
              ctx.progress({ doneFiles: state.files, doneBytes: state.bytes, ...total })
            }
            tell(0, 0)
            await readAll(ctx, {
              ...{ pool, file, take: grouping.toHash },
              read: files =>
                pool.run(reading.hash, { files }, { signal: ctx.signal, onEmit: (bytes: never) => tell(0, bytes) }),
              async store(result) {
                await store(result)
                tell(result.outcomes.length, 0)
              }
            })
          }
        },
        {
          name: 'Complete',
          async execute(ctx) {
            ctx.state.totals = await pool.run(grouping.finish, { file })
          }
        }
      ]
    },
    onCancel: state => work.drop(state.work),
    output: ({ totals, work: id }) => ({ ...totals, work: id })
  })
}
