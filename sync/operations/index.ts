/**
 * Operations on files: what a person asks for that is neither a copy nor a sync. Each looks first (a plan, in a list on the
 * disk), then a job works through the list.
 *
 *   const plan = await operations.planDelete(paths, { permanent: false })     // changes nothing; throws what must not be
 *   const job = await operations.beginDelete(plan, { permanent: false, paths })
 */
import type { AbortOptions, AbsPath, JobId, Startable } from '../../storage/base/index.js'
import type { JobManager } from '../../storage/jobs/index.js'
import type { TrashTotals } from '../../storage/trash/index.js'
import { type DeleteComponents, deleteJob } from './delete/delete-job.js'
import { beginDelete, type DeletePlan, type PlanDeleteOptions, planDelete } from './delete/plan-delete.js'
import { type EmptyJobInput, emptyTrashJob, trashFilter } from './trash/empty-job.js'
import { WorkPlace } from './work-place.js'

export type { DeletePlan, PlanDeleteOptions } from './delete/plan-delete.js'
export type { Protected } from './delete/protect.js'

export interface FileOperationsInit extends Omit<DeleteComponents, 'work'> {
  readonly jobs: JobManager
  readonly dataDir: AbsPath
}

export interface FileOperations extends Startable {
  /** See `planDelete`. */
  planDelete(paths: readonly string[], options: PlanDeleteOptions): Promise<DeletePlan>
  beginDelete(plan: DeletePlan, options: { permanent: boolean; paths: readonly string[] }): Promise<JobId>
  /** What emptying the trash would remove. */
  trashTotals(what: EmptyJobInput, options?: AbortOptions): Promise<TrashTotals>
  beginEmptyTrash(what: EmptyJobInput): Promise<JobId>
  /** Forgets a plan that will not be carried out. */
  dropPlan(plan: { readonly work: string }): Promise<void>
}

/** Registers its kinds of jobs: before the jobs start. */
export function fileOperations(init: FileOperationsInit): FileOperations {
  const { jobs, dataDir } = init
  const work = new WorkPlace(dataDir, jobs)
  const components = { ...init, work }
  const removal = deleteJob(components)
  const emptying = emptyTrashJob(init.trash)
  jobs.register(removal)
  jobs.register(emptying)
  return {
    start: () => work.start(),
    stop: () => work.stop(),
    planDelete: (paths, options) => planDelete(components, paths, options),
    beginDelete: (plan, options) => beginDelete(jobs, removal, plan, options),
    trashTotals: async (what, options) => (await init.trash.list(trashFilter(what), { limit: 1, ...options })).totals,
    beginEmptyTrash: async what => (await jobs.dispatch(emptying, what)).id,
    dropPlan: plan => work.drop(plan.work)
  }
}
