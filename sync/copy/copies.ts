import { type JobId, pathBytes, type RelPath, SpacedriveError, textFromBytes } from '../../storage/base/index.js'
import type { JobManager } from '../../storage/jobs/index.js'
import { type Answer, copyWrites } from './copy.worker.js'
import type { CopyInput } from './input.js'
import { type CopyJob, copyJob } from './job.js'
import { layOut } from './layout.js'
import type { CopyComponents } from './ports.js'
import { type Preview, type PreviewTold, previewCopy } from './preview.js'

/** Copies and moves: begun, looked at before, asked about and answered. One for a daemon. */
export interface Copies {
  readonly job: CopyJob
  /**
   * Whether it can be begun; changes nothing. @throws what `layOut` throws; NO_TRASH where what is replaced could not be kept
   */
  check(input: CopyInput): Promise<void>
  /** Exactly what would be done now. */
  preview(input: CopyInput, told: PreviewTold): Promise<Preview>
  begin(input: CopyInput): Promise<JobId>
  /** Files that stand in the way and have no answer yet. @param limit - at most so many of them */
  conflicts(job: JobId, limit: number): { readonly total: number; readonly list: readonly FileConflict[] }
  /** @param paths - of `FileConflict.path`; all that have no answer where left out. @returns how many were answered */
  answer(job: JobId, answer: Answer, paths?: readonly RelPath[]): Promise<number>
}

/** A file of the destination that differs from the one that would take its place. */
export interface FileConflict {
  /** Relative to the destination. */
  readonly path: RelPath
  readonly sourceBytes: number
  readonly sourceMtimeMs: number
  readonly targetBytes: number
  readonly targetMtimeMs: number
}

interface Row {
  path: Uint8Array
  source_bytes: number
  source_mtime_ms: number
  target_bytes: number
  target_mtime_ms: number
}

export function copies(components: CopyComponents, jobs: Pick<JobManager, 'dispatch' | 'register'>): Copies {
  const job = copyJob(components)
  jobs.register(job)
  const { db } = components
  return {
    job,
    async check(input) {
      const { root, makeRoot } = await layOut(input)
      if (!input.keep || makeRoot || (input.overwrite !== 'replace' && input.overwrite !== 'skip-newer')) return
      const [bin] = await components.trash.binsFor([root])
      if (typeof bin === 'object') {
        throw new SpacedriveError(bin.code, bin.message, {
          hint: 'What is replaced could not be kept: say --no-keep to lose it, or choose another --overwrite.'
        })
      }
    },
    preview: (input, told) => previewCopy(components, input, told),
    begin: async input => (await jobs.dispatch(job, input)).id,
    conflicts(id, limit) {
      const open = 'FROM copy_conflicts WHERE job = ? AND answer IS NULL'
      const total = db.get<{ n: number }>(`SELECT count(*) AS n ${open}`, [id])!.n
      const rows = db.all<Row>(
        `SELECT path, source_bytes, source_mtime_ns / 1000000 AS source_mtime_ms, target_bytes,
           target_mtime_ns / 1000000 AS target_mtime_ms ${open} ORDER BY path LIMIT ?`,
        [id, limit]
      )
      const list = rows.map(r => ({
        path: textFromBytes(r.path) as RelPath,
        ...{ sourceBytes: r.source_bytes, sourceMtimeMs: r.source_mtime_ms },
        ...{ targetBytes: r.target_bytes, targetMtimeMs: r.target_mtime_ms }
      }))
      return { total, list }
    },
    answer: (id, answer, paths) =>
      db.write(copyWrites.answer, { job: id, answer, ...(paths !== undefined && { paths: paths.map(pathBytes) }) })
  }
}
