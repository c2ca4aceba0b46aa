/**
 * Operations on files: what a person asks for that is neither a copy nor a sync. Each looks first (a plan, in a list on the
 * disk), then a job works through the list.
 *
 *   const plan = await operations.planDelete(paths, { permanent: false })     // changes nothing; throws what must not be
 *   const job = await operations.beginDelete(plan, { permanent: false, paths })
 *
 *   const back = await operations.planRestore({ ids: [42], paths: [] })        // where each would come
 *   const job = await operations.beginRestore(back, {})
 *
 *   const { job, work } = await operations.findDuplicates(paths, { minBytes: 1 })
 *   await operations.chooseDuplicates(work, { rule: 'oldest' })                // after it ended: what would go
 *   await operations.beginRemoveDuplicates(work, title)                       // each compared right before it goes
 *
 *   const job = await operations.validate(paths)                               // finds silent corruption
 *
 * `far/` does the same on other devices, through their endpoints; what a person deletes there goes to the trash there.
 */
import { type FileOperations, type FileOperationsInit, FileOperationsService } from './service.js'

export type { DeletePlan, PlanDeleteOptions } from './delete/plan-delete.js'
export type { Protected } from './delete/protect.js'
export type { DuplicateFile, DuplicateGroup, GroupTotals } from './duplicates/groups.worker.js'
export { type KeepRule, keepersOf } from './duplicates/keep.js'
export type { Victim } from './duplicates/victims.worker.js'
export { type FarDeletePlan, type FarOperations, farOperations } from './far/far-operations.js'
export type { FileOperations, FileOperationsInit } from './service.js'
export type { RestorePlan, RestoreWhat } from './trash/plan-restore.js'
export type { RestoreOutput } from './trash/restore-job.js'
export type { Validated } from './validate/validate-job.js'

/** Registers its kinds of jobs: to be made before the jobs start. */
export function fileOperations(init: FileOperationsInit): FileOperations {
  return new FileOperationsService(init)
}
