import { z } from 'zod'
import { type AbsPath, displayPath, type JobId, type WorkerPool } from '../../../storage/base/index.js'
import { defineJob, type JobDefinition, type PhaseContext } from '../../../storage/jobs/index.js'
import type { Trash } from '../../../storage/trash/index.js'
import { WorkPlace } from '../work-place.js'
import { type Equal, reading } from './reading.worker.js'
import { choosing, type Victim } from './victims.worker.js'

export interface RemoveJobInput {
  /** The list of the job that found them, with what goes chosen. */
  readonly work: string
  readonly title: string
}

export interface RemoveJobState {
  files: number
  bytes: number
}

export interface RemoveComponents {
  readonly pool: WorkerPool
  readonly trash: Trash
  readonly work: WorkPlace
}

export type RemoveJob = JobDefinition<RemoveJobInput, RemoveJobState, { files: number; bytes: number }>

/** Compared and thrown away together: bounds the time between the two. */
const BATCH = 200

/**
 * Throws duplicates away, each compared byte by byte with the one that stays right before it goes; should that one be gone or
 * changed right after, the duplicate is put back. The last copy never goes.
 */
export function removeDuplicatesJob({ pool, trash, work }: RemoveComponents): RemoveJob {
  return defineJob<RemoveJobInput, RemoveJobState, { files: number; bytes: number }>({
    kind: 'duplicates-delete',
    summary: 'moves duplicates to the trash, each compared with the one that stays',
    version: 1,
    input: z.strictObject({ work: z.uuid(), title: z.string() }),
    title: ({ title }) => `delete duplicates in ${title}`,
    serial: input => WorkPlace.serialOf(input.work),
    state: () => ({ files: 0, bytes: 0 }),
    phases: input => {
      const file = work.fileOf(input.work)
      return [
        {
          name: 'Validation',
          async execute(ctx) {
            const { files, bytes } = await pool.run(choosing.victimTotals, { file }, { signal: ctx.signal })
            ctx.progress({ totalFiles: files, totalBytes: bytes })
          }
        },
        {
          name: 'Deletion',
          async execute(ctx) {
            const { files, bytes } = await pool.run(choosing.victimTotals, { file }, { signal: ctx.signal })
            const total = { totalFiles: files, totalBytes: bytes }
            for (;;) {
              ctx.checkInterrupt()
              ctx.state = await pool.run(choosing.gone, { file })
              ctx.progress({ ...total, doneFiles: ctx.state.files, doneBytes: ctx.state.bytes })
              const victims = await pool.run(choosing.take, { file, limit: BATCH })
              if (victims.length === 0) return
              const gone = await removeBatch(ctx, victims)
              await pool.run(choosing.done, { file, ns: victims.map(v => v.n), gone })
              await ctx.checkpoint()
            }
          }
        },
        {
          name: 'Complete',
          async execute(ctx) {
            ctx.log(`${ctx.state.files} files moved to the trash`)
            await work.drop(input.work)
          }
        }
      ]
    },
    output: ({ files, bytes }) => ({ files, bytes })
  })

  /** @returns numbers of those that went */
  async function removeBatch(ctx: PhaseContext<RemoveJobState>, victims: readonly Victim[]): Promise<number[]> {
    const gone: number[] = []
    const left: Victim[] = []
    for (const victim of victims) {
      if (victim.begun && (await wasThrownAway(ctx.job, victim.path))) gone.push(victim.n)
      else left.push(victim)
    }
    const compared = await pool.run(reading.compare, { victims: left }, { signal: ctx.signal })
    const going: { victim: Victim; seen: Equal }[] = []
    for (const [i, seen] of compared.entries()) {
      if (seen.problem !== undefined) ctx.problem(seen.problem)
      else going.push({ victim: left[i]!, seen })
    }
    const items = going.map(({ victim, seen }) => {
      const { sizeBytes, mtimeNs, ctimeNs, inode } = seen.stat
      return { at: victim.path, expected: { kind: 'file' as const, sizeBytes, mtimeNs, ctimeNs, inode } }
    })
    const results = await trash.put(items, { command: 'file.duplicates', job: ctx.job })
    const files = going.map(({ victim, seen }) => ({ path: victim.keeper, stat: seen.keeper }))
    const kept = await pool.run(reading.stillThere, { files })
    for (const [i, result] of results.entries()) {
      const { victim } = going[i]!
      if (!result.done) ctx.problem(result.problem)
      else if (kept[i]) gone.push(victim.n)
      else {
        await trash.restore([result.id])
        const message = `${displayPath(victim.keeper)} was changed or removed meanwhile, so its duplicate stays`
        ctx.problem({ path: displayPath(victim.path), code: 'KEEPER_CHANGED', message })
      }
    }
    return gone
  }

  /** By this job, right before the program ended. */
  async function wasThrownAway(job: JobId, path: AbsPath): Promise<boolean> {
    const { entries } = await trash.list({ job, path }, { limit: 1 })
    return entries.some(e => e.path === path)
  }
}
