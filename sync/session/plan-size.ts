import type { PlanSummary } from './plan.worker.js'

/** A plan beyond this becomes a job, so that it can be seen and paused. */
export const QUICK_OPERATIONS = 1_000
export const QUICK_BYTES = 256 * 1024 * 1024

/** Something is deleted by it. */
export const takesAway = ({ totals: { source, destination } }: PlanSummary): boolean =>
  source.removed + destination.removed + source.directoriesRemoved + destination.directoriesRemoved > 0

/** It becomes a job. */
export function isLarge({ totals: { operations, source, destination } }: PlanSummary): boolean {
  return operations > QUICK_OPERATIONS || source.bytes + destination.bytes > QUICK_BYTES
}
