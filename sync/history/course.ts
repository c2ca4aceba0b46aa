/**
 * How far a restore or an undo has got, and what of that outlives an interruption. It is not resumed but done again, as a session is: what
 * is there by then is looked at anew, and only the rest is done. For that it has to be the same thing again: the same moment, the
 * same runs, and one run in the table of runs, whatever came between.
 */
import type { AbortOptions, RelPath } from '../../storage/base/index.js'
import type { Operation } from '../reconcile/index.js'
import type { TurnOptions } from '../session/index.js'

export const HISTORY_PHASES = ['Looking at both ends', 'Planning the way back', 'Bringing back'] as const
export type HistoryPhase = (typeof HISTORY_PHASES)[number]

/** A plain value: the state of the job. */
export interface Course {
  /** Its run in the table of runs. */
  run: string
  /** It was begun: something may have been changed. */
  begun: boolean
  /** The moment that is gone back to, once it is chosen; null: what the other end has today. */
  moment: { atMs: number | null } | null
  /** Whether it let the sync rest; `already`: it rested before. */
  rests: 'no' | 'yes' | 'already'
  /** Copied, by all attempts. */
  bytes: number
}

/** One attempt. */
export interface Attempt extends TurnOptions {
  readonly signal: AbortSignal
  /** @param why - for people; for its turn unless told */
  waiting(turn: Promise<void>, why?: string): Promise<void>
  readonly course: Course
  /** What the course says is durable after it. */
  keep(): Promise<void>
  onPhase(phase: HistoryPhase): void
  onScan(entries: number): void
  onProgress(progress: { readonly operations: number; readonly of: number; readonly bytes: number }): void
}

/** Without an attempt nothing is done: it is a preview. */
export type HistoryOptions<A = Attempt> = AbortOptions & { readonly attempt?: A | undefined }

/** How it waits, and what ends it. */
export const turnOptions = ({ attempt, signal }: HistoryOptions<Attempt>): TurnOptions =>
  attempt === undefined ? { ...(signal && { signal }) } : { signal: attempt.signal, waiting: attempt.waiting }

/** An operation of a plan, for people. */
export interface Listed {
  readonly kind: string
  readonly path: RelPath
  readonly to?: RelPath
}

export const listed = (operations: readonly Operation[]): Listed[] =>
  cut(operations.map(op => ({ kind: op.kind, path: op.path, ...(op.kind === 'move' && { to: op.to }) })))

/** Texts of one list in an answer: states and answers of jobs are small values. */
const MAX_LIST_BYTES = 128 * 1024

/** As much of it from its beginning as an answer may hold. */
export function cut<T>(list: readonly T[]): T[] {
  let left = MAX_LIST_BYTES
  const kept: T[] = []
  for (const one of list) {
    left -= JSON.stringify(one).length
    if (left < 0) break
    kept.push(one)
  }
  return kept
}
