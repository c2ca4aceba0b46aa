import { z } from 'zod'
import type { AbsPath, WorkerPool } from '../../../storage/base/index.js'
import { defineJob, type JobDefinition, type PhaseContext } from '../../../storage/jobs/index.js'
import { collecting, type IndexSource } from '../collect.worker.js'
import { titleOf } from '../title.js'
import { WorkPlace } from '../work-place.js'
import { type GroupTotals, grouping, type ToRead } from './groups.worker.js'
import { type ReadResult, reading } from './reading.worker.js'

export interface FindJobInput {
  readonly work: string
  /** Real paths, none within another. */
  readonly roots: readonly string[]
  readonly minBytes: number
}

export interface FindJobState {
  readonly work: string
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

/** Files read by one task: enough to be worth a message, few enough that a pause is heard soon. */
const READ_FILES = 64
const READ_BYTES = 64 * 1024 * 1024
/** Files taken from the list at once. */
const TAKE = 2_000

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
    version: 1,
    input: z.strictObject({
      work: z.uuid(),
      roots: z.array(z.string().startsWith('/')).min(1),
      minBytes: z.number().int().min(0)
    }),
    title: ({ roots }) => `duplicates in ${titleOf(roots)}`,
    serial: input => WorkPlace.serialOf(input.work),
    state: input => ({ work: input.work, totals: { groups: 0, files: 0, wasteBytes: 0, hardLinks: 0 } }),
    phases: input => {
      const file = work.fileOf(input.work)
      return [
        {
          name: 'Collection',
          recovery: 'restart-phase',
          async execute(ctx) {
            const { minBytes } = input
            const found = await pool.run(
              collecting.collect,
              { file, roots: input.roots as AbsPath[], minBytes, ours: ours() },
              {
                signal: ctx.signal,
                onEmit: (sum: never) => {
                  const { files, bytes } = sum as { files: number; bytes: number }
                  ctx.progress({ doneFiles: files, doneBytes: bytes })
                }
              }
            )
            ctx.progress({ doneFiles: found.files, doneBytes: found.bytes })
            for (const p of found.problems) ctx.problem(p)
            if (found.problemCount > found.problems.length) {
              ctx.logError(`${found.problemCount} places could not be looked at; the first are told`)
            }
            ctx.log(`${found.files} files found`)
          }
        },
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
            const read = (task: typeof reading.sample, onBytes: (n: number) => void) => (files: readonly ToRead[]) =>
              pool.run(task, { files }, { signal: ctx.signal, onEmit: (n: never) => onBytes(n) })
            await each(
              ctx,
              grouping.toSample,
              read(reading.sample, () => {})
            )
            const left = await pool.run(grouping.bySample, { file }, { signal: ctx.signal })
            let done = 0
            let files = 0
            const tell = (): void =>
              ctx.progress({ doneFiles: files, totalFiles: left.files, doneBytes: done, totalBytes: left.bytes })
            tell()
            await each(
              ctx,
              grouping.toHash,
              read(reading.hash, n => {
                done += n
                tell()
              }),
              n => {
                files += n
                tell()
              }
            )
          }
        },
        {
          name: 'Complete',
          async execute(ctx) {
            ctx.state.totals = await pool.run(grouping.finish, { file })
          }
        }
      ]

      /** Reads what `take` gives, several threads at once, and stores what came out. */
      async function each(
        ctx: PhaseContext<FindJobState>,
        take: typeof grouping.toHash,
        read: (files: readonly ToRead[]) => Promise<ReadResult>,
        onFiles: (n: number) => void = () => {}
      ): Promise<void> {
        for (let after = 0; ; ) {
          ctx.checkInterrupt()
          const files = await pool.run(take, { file, after, limit: TAKE }, { signal: ctx.signal })
          if (files.length === 0) return
          after = files.at(-1)!.id
          const parts = inParts(files)
          let next = 0
          const worker = async (): Promise<void> => {
            for (let part = parts[next++]; part !== undefined; part = parts[next++]) {
              const { outcomes, problems } = await read(part)
              await pool.run(grouping.store, { file, outcomes })
              for (const p of problems) ctx.problem(p)
              onFiles(part.length)
            }
          }
          const workers = await Promise.allSettled(Array.from({ length: pool.bulkWidth }, worker))
          ctx.checkInterrupt()
          for (const w of workers) if (w.status === 'rejected') throw w.reason
          await ctx.checkpoint()
        }
      }
    },
    onCancel: state => work.drop(state.work),
    output: ({ totals, work: id }) => ({ ...totals, work: id })
  })
}

/** What one task reads. */
function inParts(files: readonly ToRead[]): ToRead[][] {
  const parts: ToRead[][] = []
  let part: ToRead[] = []
  let bytes = 0
  for (const file of files) {
    if (part.length > 0 && (part.length >= READ_FILES || bytes + file.size > READ_BYTES)) {
      parts.push(part)
      part = []
      bytes = 0
    }
    part.push(file)
    bytes += file.size
  }
  if (part.length > 0) parts.push(part)
  return parts
}
