import type { AbortOptions, AbsPath, Clock, JobId, Startable, WorkerPool } from '../../storage/base/index.js'
import type { Files } from '../../storage/files/index.js'
import type { JobManager } from '../../storage/jobs/index.js'
import type { Trash, TrashTotals } from '../../storage/trash/index.js'
import type { IndexSource } from './collect.worker.js'
import { deleting } from './delete/delete.worker.js'
import { type DeleteJob, deleteJob } from './delete/delete-job.js'
import { beginDelete, type DeletePlan, type PlanDeleteOptions, planDelete } from './delete/plan-delete.js'
import type { Protected } from './delete/protect.js'
import { type FindJob, findDuplicatesJob } from './duplicates/find-job.js'
import { type DuplicateGroup, type GroupTotals, grouping } from './duplicates/groups.worker.js'
import type { KeepRule } from './duplicates/keep.js'
import { type RemoveJob, removeDuplicatesJob } from './duplicates/remove-job.js'
import { choosing, type Victim } from './duplicates/victims.worker.js'
import { readRoots } from './roots.js'
import { type EmptyJob, type EmptyJobInput, emptyTrashJob, trashFilter } from './trash/empty-job.js'
import { planRestore, type RestorePlan, type RestoreWhat } from './trash/plan-restore.js'
import { beginRestore, type RestoreJob, restoreTrashJob } from './trash/restore-job.js'
import { type Damage, type ValidateJob, validateJob } from './validate/validate-job.js'
import { WorkPlace } from './work-place.js'

export interface FileOperationsInit {
  readonly jobs: JobManager
  readonly dataDir: AbsPath
  readonly clock: Clock
  readonly pool: WorkerPool
  readonly files: Files
  readonly trash: Trash
  /** What must not be deleted, as it is now. */
  readonly protect: () => Promise<Protected>
  /** Open libraries: their hashes are used where the stat vouches. */
  readonly libraries: () => readonly IndexSource[]
  /** Our own places: never looked into. */
  readonly ours: () => readonly AbsPath[]
  /** See `ValidateComponents`. */
  readonly noteDamage: (library: string, damage: Damage) => Promise<void>
}

export interface FileOperations extends Startable {
  /** See `planDelete`. */
  planDelete(paths: readonly string[], options: PlanDeleteOptions): Promise<DeletePlan>
  beginDelete(plan: DeletePlan, options: { permanent: boolean; paths: readonly string[] }): Promise<JobId>
  /** Forgets a plan that will not be carried out. */
  dropPlan(plan: { readonly work: string }): Promise<void>

  /** What emptying the trash would remove, and the newest of it: given to `beginEmptyTrash`, no more than that goes. */
  trashTotals(what: EmptyJobInput, options?: AbortOptions): Promise<{ totals: TrashTotals; uptoId: number }>
  beginEmptyTrash(what: EmptyJobInput): Promise<JobId>

  /** See `planRestore`. */
  planRestore(what: RestoreWhat, options?: AbortOptions): Promise<RestorePlan>
  beginRestore(plan: RestorePlan, options: { to?: AbsPath | undefined }): Promise<JobId>

  /** Looks for files with the same content. @throws {SpacedriveError} NOT_FOUND for a path that is not there */
  findDuplicates(paths: readonly string[], options: { minBytes: number }): Promise<{ job: JobId; work: string }>
  /** What was found, the most wasteful first. @throws {SpacedriveError} NOT_FOUND when it is no longer kept */
  duplicates(
    work: string,
    page: { limit: number; offset: number } & AbortOptions
  ): Promise<{ totals: GroupTotals; groups: readonly DuplicateGroup[] }>
  /** Decides what goes by a rule; nothing is changed yet. @returns how much, the first of it, and the rule with real paths */
  chooseDuplicates(
    work: string,
    keep: KeepRule,
    options?: AbortOptions
  ): Promise<{ files: number; bytes: number; list: readonly Victim[]; keep: KeepRule }>
  beginRemoveDuplicates(work: string, title: string): Promise<JobId>

  /** Files and bytes below a folder, by looking. */
  measure(path: AbsPath, options?: AbortOptions): Promise<{ files: number; bytes: number }>

  /** Reads files again and compares them with what is recorded. @throws {SpacedriveError} NOT_FOUND */
  validate(paths: readonly string[]): Promise<JobId>
}

/** Files that a preview names; the rest is counted. */
const MAX_LISTED = 1000

export class FileOperationsService implements FileOperations {
  readonly #init: FileOperationsInit
  readonly #work: WorkPlace
  readonly #delete: DeleteJob
  readonly #empty: EmptyJob
  readonly #restore: RestoreJob
  readonly #find: FindJob
  readonly #remove: RemoveJob
  readonly #validate: ValidateJob

  constructor(init: FileOperationsInit) {
    this.#init = init
    this.#work = new WorkPlace(init.dataDir, init.jobs, init.clock)
    const components = { ...init, work: this.#work }
    this.#delete = deleteJob(components)
    this.#empty = emptyTrashJob(init.trash)
    this.#restore = restoreTrashJob(components)
    this.#find = findDuplicatesJob(components)
    this.#remove = removeDuplicatesJob(components)
    this.#validate = validateJob(components)
    init.jobs.register(this.#validate)
    init.jobs.register(this.#delete)
    init.jobs.register(this.#empty)
    init.jobs.register(this.#restore)
    init.jobs.register(this.#find)
    init.jobs.register(this.#remove)
  }

  start(): Promise<void> {
    return this.#work.start()
  }

  stop(): Promise<void> {
    return this.#work.stop()
  }

  planDelete(paths: readonly string[], options: PlanDeleteOptions): Promise<DeletePlan> {
    return planDelete({ ...this.#init, work: this.#work }, paths, options)
  }

  beginDelete(plan: DeletePlan, options: { permanent: boolean; paths: readonly string[] }): Promise<JobId> {
    return beginDelete(this.#init.jobs, this.#delete, plan, options)
  }

  dropPlan({ work }: { readonly work: string }): Promise<void> {
    return this.#work.drop(work)
  }

  async trashTotals(what: EmptyJobInput, options?: AbortOptions): Promise<{ totals: TrashTotals; uptoId: number }> {
    const { totals, lastId } = await this.#init.trash.list(trashFilter(what), { limit: 1, ...options })
    return { totals, uptoId: lastId }
  }

  async beginEmptyTrash(what: EmptyJobInput): Promise<JobId> {
    return (await this.#init.jobs.dispatch(this.#empty, what)).id
  }

  planRestore(what: RestoreWhat, options?: AbortOptions): Promise<RestorePlan> {
    return planRestore({ ...this.#init, work: this.#work }, what, options)
  }

  beginRestore(plan: RestorePlan, { to }: { to?: AbsPath | undefined }): Promise<JobId> {
    return beginRestore(this.#init.jobs, this.#restore, plan, to)
  }

  async findDuplicates(paths: readonly string[], { minBytes }: { minBytes: number }) {
    const roots = await readRoots(paths)
    const work = this.#work.create()
    const { id } = await this.#init.jobs.dispatch(this.#find, { work, roots, minBytes })
    return { job: id, work }
  }

  async duplicates(work: string, { limit, offset, signal }: { limit: number; offset: number } & AbortOptions) {
    const file = this.#work.readFile(work)
    const { pool } = this.#init
    const totals = await pool.run(grouping.totals, { file }, { signal })
    return { totals, groups: await pool.run(grouping.list, { file, limit, offset }, { signal }) }
  }

  async chooseDuplicates(work: string, wanted: KeepRule, { signal }: AbortOptions = {}) {
    const file = this.#work.readFile(work)
    const { pool } = this.#init
    const [folder] = wanted.rule === 'in' ? await readRoots([wanted.folder]) : []
    const keep: KeepRule = folder === undefined ? wanted : { rule: 'in', folder }
    const totals = await pool.run(choosing.choose, { file, keep }, { signal })
    return { ...totals, keep, list: await pool.run(choosing.victims, { file, limit: MAX_LISTED }, { signal }) }
  }

  async beginRemoveDuplicates(work: string, title: string): Promise<JobId> {
    return (await this.#init.jobs.dispatch(this.#remove, { work, title })).id
  }

  measure(path: AbsPath, options?: AbortOptions): Promise<{ files: number; bytes: number }> {
    return this.#init.pool.run(deleting.measure, { path }, options)
  }

  async validate(paths: readonly string[]): Promise<JobId> {
    const roots = await readRoots(paths)
    const { id } = await this.#init.jobs.dispatch(this.#validate, { work: this.#work.create(), roots })
    return id
  }
}
