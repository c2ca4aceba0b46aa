import type { JobFacts } from '../../storage/jobs/index.js'
import type { CopyState } from './state.js'

/** What a copy did: the output of its job. */
export type CopyOutput = {
  /** Files and links that got a new name at the destination. */
  readonly copied: number
  readonly copiedBytes: number
  /** Of those: in the place of another. */
  readonly replaced: number
  /** Sources that moved by one rename, with all they hold. */
  readonly renamed: number
  readonly directories: number
  /** Files whose mode or time alone followed the source. */
  readonly attributes: number
  /** Sources taken away by a move. */
  readonly removed: number
  /** Of large files: what had been copied before the work was cut short, and was not copied again. */
  readonly resumedBytes: number
  /** Already there, with the same content. */
  readonly same: number
  /** Left alone: something else exists there, or something newer. */
  readonly skipped: { readonly exists: number; readonly newer: number }
  /** How many took which way: `kernel`, `reflink`, `stream`, `link`, `rename`. */
  readonly strategies: Readonly<Record<string, number>>
  /** What the indexes said of the sources before anything was looked at; null: none held any of them. */
  readonly estimated: { readonly files: number; readonly bytes: number } | null
  /** Where a shorter way was not open, and what was done instead. */
  readonly notes: readonly string[]
  readonly durationMs: number
}

export function outputOf(
  {
    counts,
    seen,
    copiedBefore,
    notes,
    estimate
  }: Pick<CopyState, 'counts' | 'seen' | 'copiedBefore' | 'notes' | 'estimate'>,
  { startedAt, endedAt }: JobFacts
): CopyOutput {
  return {
    ...counts,
    same: Math.max(0, seen.same - copiedBefore),
    skipped: seen.skipped,
    ...{ estimated: estimate, notes },
    durationMs: endedAt - startedAt
  }
}
