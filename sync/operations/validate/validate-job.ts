import { z } from 'zod'
import { type AbsPath, displayPath, type WorkerPool } from '../../../storage/base/index.js'
import { defineJob, type JobDefinition } from '../../../storage/jobs/index.js'
import { collecting, type IndexSource } from '../collect.worker.js'
import { collectionPhase } from '../collecting.js'
import { reading } from '../duplicates/reading.worker.js'
import { readAll } from '../read-all.js'
import { titleOf } from '../title.js'
import { WorkPlace } from '../work-place.js'
import { type Judged, type ValidationCounts, validating } from './validate.worker.js'

export interface ValidateJobInput {
  readonly work: string
  /** Real paths, none within another. */
  readonly roots: readonly string[]
}

export interface ValidateJobState {
  readonly work: string
  files: number
  bytes: number
  counts: ValidationCounts
}

/** What an index is told of its entries. */
export interface Damage {
  readonly found: readonly { readonly entry: number; readonly hash: Uint8Array; readonly message: string }[]
  readonly whole: readonly number[]
}

export interface ValidateComponents {
  readonly pool: WorkerPool
  readonly work: WorkPlace
  readonly libraries: () => readonly IndexSource[]
  readonly ours: () => readonly AbsPath[]
  /** Notes at the entries of a library what was found; nothing happens when it is closed by now. */
  readonly noteDamage: (library: string, damage: Damage) => Promise<void>
}

export interface Validated extends ValidationCounts {
  readonly bytes: number
}

export type ValidateJob = JobDefinition<ValidateJobInput, ValidateJobState, Validated & Record<string, number>>

const NONE: ValidationCounts = { whole: 0, corrupt: 0, changed: 0, unreadable: 0, unrecorded: 0 }

/**
 * Reads files again and compares them with the recorded hash. Phases as in seed 004: Collection, Validation, Complete. Other
 * bytes under the same size, mtime and ctime are silent corruption; where any of those moved, it was an edit.
 */
export function validateJob({ pool, work, libraries, ours, noteDamage }: ValidateComponents): ValidateJob {
  return defineJob<ValidateJobInput, ValidateJobState, Validated & Record<string, number>>({
    kind: 'file-validate',
    summary: 'reads files again and compares them with the recorded hash',
    version: 2,
    input: z.strictObject({ work: z.uuid(), roots: z.array(z.string().startsWith('/')).min(1) }),
    title: ({ roots }) => `validate ${titleOf(roots)}`,
    serial: input => WorkPlace.serialOf(input.work),
    state: input => ({ work: input.work, files: 0, bytes: 0, counts: NONE }),
    phases: input => {
      const file = work.fileOf(input.work)
      return [
        collectionPhase({ pool, file, roots: input.roots, minBytes: 0, ours }),
        {
          name: 'Validation',
          async execute(ctx) {
            const known = await pool.run(collecting.fromIndex, { file, libraries: libraries() }, { signal: ctx.signal })
            const left = await pool.run(validating.begin, { file }, { signal: ctx.signal })
            ctx.log(`the hashes of ${known} files are recorded; ${left.files} are to be read`)
            const before = { files: ctx.state.files, bytes: ctx.state.bytes }
            let [doneFiles, doneBytes] = [0, 0]
            const tell = (files: number, bytes: number): void => {
              doneFiles += files
              doneBytes += bytes
              ctx.state.files = before.files + doneFiles
              ctx.state.bytes = before.bytes + doneBytes
              ctx.progress({
                ...{ doneFiles: ctx.state.files, doneBytes: ctx.state.bytes },
                ...{ totalFiles: before.files + left.files, totalBytes: before.bytes + left.bytes }
              })
            }
            tell(0, 0)
            await readAll(ctx, {
              ...{ pool, file, take: validating.take },
              read: files =>
                pool.run(reading.hash, { files }, { signal: ctx.signal, onEmit: (bytes: never) => tell(0, bytes) }),
              async store({ outcomes, problems }) {
                const judged = await pool.run(validating.judge, { file, outcomes })
                const unreadable = new Set(problems.filter(p => !EDITED.has(p.code)))
                for (const p of unreadable) ctx.problem(p)
                for (const c of judged.corrupt) {
                  ctx.problem({ path: displayPath(c.path), code: 'CORRUPT', message: c.message })
                }
                await tellIndexes(judged)
                tell(outcomes.length, 0)
              }
            })
          }
        },
        {
          name: 'Complete',
          async execute(ctx) {
            // A crash may have come right after the list went.
            if (work.has(input.work)) ctx.state.counts = await pool.run(validating.counts, { file })
            await ctx.checkpoint()
            await work.drop(input.work)
          }
        }
      ]
    },
    onCancel: state => work.drop(state.work),
    output: ({ counts, bytes }) => ({ ...counts, bytes })
  })

  async function tellIndexes({ corrupt, whole }: Judged): Promise<void> {
    const ids = new Set([...corrupt, ...whole].map(f => f.library))
    for (const id of ids) {
      await noteDamage(id, {
        found: corrupt.filter(c => c.library === id),
        whole: whole.filter(w => w.library === id).map(w => w.entry)
      })
    }
  }
}

/** No problem of the disk: somebody works there. */
const EDITED: ReadonlySet<string> = new Set(['CHANGED', 'CHANGED_WHILE_READING', 'ENOENT', 'NOT_A_FILE'])
