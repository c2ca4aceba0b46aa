/** What a run came to: what becomes of a halt, and whether there is anything new to say. */
import type { Sync } from './record.js'
import { type Ended, ignoredNotes, type RunReport } from './report.js'

/** Two sessions as one run, for who asked for it. */
export const together = (first: RunReport, next: RunReport): RunReport => ({
  ...next,
  operations: first.operations + next.operations,
  bytesTransferred: first.bytesTransferred + next.bytesTransferred,
  conflicts: [...first.conflicts.filter(c => c.resolution !== 'waiting'), ...next.conflicts],
  durationMs: first.durationMs + next.durationMs
})

/** What becomes of what a person may say yes to: null: there is nothing any more. */
export type Halted = string | null | 'as-it-was'

/**
 * Nobody has seen what halted in the background: it does not take the place of what a person was shown, or `--force` would let
 * more pass than was said yes to.
 */
export function haltedBy(outcome: Ended, sync: Sync, background: boolean): Halted {
  if (outcome.state === 'refused') return 'as-it-was'
  if (outcome.state === 'done') return null
  if (background && sync.halted !== undefined) return 'as-it-was'
  return JSON.stringify({ planHash: outcome.plan.hash, totals: outcome.plan.totals })
}

/** Why a mirror rests then. */
export const PUT_BACK =
  'something was put back to an earlier state, and what only the destination has would be deleted by the next run'

/** Whether a report says something that the one before did not. */
export const hasNews = (now: RunReport, then: RunReport | undefined): boolean =>
  JSON.stringify([now.problems, now.conflicts, now.halts, ignoredNotes(now)]) !==
  JSON.stringify([then?.problems ?? [], then?.conflicts ?? [], then?.halts, ignoredNotes(then ?? {})])
