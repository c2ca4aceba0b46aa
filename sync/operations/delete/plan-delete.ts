import {
  type AbortOptions,
  type AbsPath,
  displayPath,
  type JobId,
  type Problem,
  SpacedriveError
} from '../../../storage/base/index.js'
import type { JobManager } from '../../../storage/jobs/index.js'
import { titleOf } from '../title.js'
import { deleting } from './delete.worker.js'
import type { DeleteComponents, DeleteJob } from './delete-job.js'

/** What deleting would do, exactly; nothing is changed yet. */
export interface DeletePlan {
  readonly work: string
  readonly items: number
  readonly files: number
  readonly bytes: number
  /** The first of what would go, and to which folder; null: for good. */
  readonly list: readonly {
    readonly path: AbsPath
    readonly kind: string
    readonly files: number
    readonly bytes: number
    readonly bin: AbsPath | null
  }[]
  /** What is not there, or cannot go to any trash. */
  readonly problems: readonly Problem[]
  readonly problemCount: number
}

export interface PlanDeleteOptions extends AbortOptions {
  readonly permanent: boolean
  readonly onProgress?: (found: { files: number; bytes: number }) => void
}

/** Things that a preview names; the rest is counted. */
const MAX_LISTED = 1000

/**
 * Looks at what would go. The list stays until a job has worked through it, or `dropPlan`.
 * @throws {SpacedriveError} PROTECTED, naming what must not go: then nothing does; NOT_FOUND when nothing is there; NO_TRASH
 *   when none of it can go to a trash
 */
export async function planDelete(
  { pool, trash, work, protect }: DeleteComponents,
  paths: readonly string[],
  { permanent, signal, onProgress }: PlanDeleteOptions
): Promise<DeletePlan> {
  const id = work.create()
  try {
    const file = work.fileOf(id)
    const found = await pool.run(
      deleting.plan,
      { file, paths, protect: await protect() },
      { signal, onEmit: (sum: never) => onProgress?.(sum) }
    )
    if (found.refusedCount > 0) throw refused(found.refused, found.refusedCount)
    if (found.items === 0) throw nothingThere(found.problems)
    const items = await pool.run(deleting.list, { file, limit: MAX_LISTED }, { signal })
    const parents = items.map(({ at }) => (at.slice(0, at.lastIndexOf('/')) || '/') as AbsPath)
    const dirs = [...new Set(parents)]
    const bins = permanent ? [] : await trash.binsFor(dirs, { signal })
    const binOf = new Map(dirs.map((dir, i) => [dir, bins[i]]))
    const without = bins.filter(bin => typeof bin !== 'string')
    if (!permanent && bins.length > 0 && without.length === bins.length) throw noTrash(without[0] as Problem)
    return {
      work: id,
      items: found.items,
      files: found.files,
      bytes: found.bytes,
      list: items.map(({ at, expected, files, bytes }, i) => {
        const bin = binOf.get(parents[i]!)
        return { path: at, kind: expected.kind, files, bytes, bin: typeof bin === 'string' ? bin : null }
      }),
      problems: [...found.problems, ...(without as Problem[])],
      problemCount: found.problemCount + without.length
    }
  } catch (err) {
    await work.drop(id)
    throw err
  }
}

/** Begins the job that does what was planned. */
export async function beginDelete(
  jobs: Pick<JobManager, 'dispatch'>,
  job: DeleteJob,
  plan: DeletePlan,
  { permanent, paths }: { permanent: boolean; paths: readonly string[] }
): Promise<JobId> {
  const problems = plan.problems.filter(p => p.code === 'MISSING')
  const { id } = await jobs.dispatch(job, { work: plan.work, permanent, title: titleOf(paths), problems })
  return id
}

function refused(list: readonly Problem[], count: number): SpacedriveError {
  const [first] = list
  const more = count > 1 ? ` (and ${count - 1} more)` : ''
  return new SpacedriveError('PROTECTED', `${first!.message}${more}`, {
    hint: 'Nothing was deleted.',
    details: { refused: list }
  })
}

function nothingThere(problems: readonly Problem[]): SpacedriveError {
  const [first] = problems
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : ''
  const code = first === undefined || first.code === 'MISSING' ? 'NOT_FOUND' : first.code
  return new SpacedriveError(code, `${first?.message ?? 'nothing was named to delete'}${more}`, {
    details: { paths: problems.map(p => displayPath(p.path)) }
  })
}

const noTrash = ({ code, message }: Problem): SpacedriveError =>
  new SpacedriveError(code, message, { hint: 'Nothing was deleted.' })
