import type { Clock, JobId, Problem } from '../base/index.js'
import type { ChildOptions, JobDefinition, JobOutcome } from './job.js'
import type { ProgressUpdate } from './progress.js'

/** What comes after a phase. A phase that returns nothing continues. */
export type PhaseOutput =
  | { readonly next: 'continue' }
  /** Forwards only: to a later phase of the same group, else of a group around it. What lies between is `skipped`. */
  | { readonly next: 'skip-to'; readonly phase: string }
  /** The whole job is done; no later phase runs. */
  | { readonly next: 'complete' }

export const proceed: PhaseOutput = Object.freeze({ next: 'continue' })
export const complete: PhaseOutput = Object.freeze({ next: 'complete' })
export const skipTo = (phase: string): PhaseOutput => Object.freeze({ next: 'skip-to', phase })

/**
 * What happens to a phase that was cut short, by an error or by the end of the process.
 * - `retry-from-checkpoint`: goes on with the state of the last checkpoint (the default);
 * - `restart-phase`: begins again with the state that the phase began with, also after a pause;
 * - `skip`: recorded as a problem, the next phase begins;
 * - `abort`: the job fails.
 */
export type Recovery = 'retry-from-checkpoint' | 'restart-phase' | 'skip' | 'abort'

export type PhaseStatus = 'running' | 'completed' | 'skipped' | 'failed' | 'paused' | 'cancelled'

/** One line of the history of a job; `phase` is the path through the groups, `Content/Hashing`. */
export interface PhaseExecution {
  readonly phase: string
  readonly startedAt: number
  readonly endedAt: number | null
  readonly status: PhaseStatus
  /** The code and text of what ended it, for `failed` and for `skipped` after a failure. */
  readonly error?: { readonly code: string; readonly message: string } | undefined
}

/**
 * One step of a job. `S` is the state of the job: one plain value that all its phases share and that checkpoints keep.
 *
 * A phase changes `ctx.state` in synchronous steps that leave it whole: a pause keeps it as it stands when `execute` ends.
 */
export interface Phase<S = unknown> {
  /** A few words for a person, unique among its siblings: `Discovery`. Part of what is stored: changing it restarts running jobs. */
  readonly name: string
  /** Asked when the phase is reached; false: it is `skipped`. Not asked again when a job resumes inside it. */
  when?(ctx: PhaseContext<S>): boolean
  /**
   * @throws `fatal(...)` or any other error: see `recovery`; `nonFatal(...)`: recorded, the next phase begins;
   *   `ctx.signal.reason`: the job was paused or cancelled, or the program ends
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: a phase without a return value continues
  execute(ctx: PhaseContext<S>): Promise<PhaseOutput | void>
  /** Cleans up after the phase ended well; a failure here fails the phase. */
  onSuccess?(ctx: PhaseContext<S>): Promise<void>
  /** Takes back what the phase began, after it failed for good or the job was cancelled in it (not after a pause). `ctx.signal` is fresh. */
  onFailure?(ctx: PhaseContext<S>, error: Error): Promise<void>
  readonly recovery?: Recovery
  /** How often it is begun before a failure counts; 1 unless said otherwise, 2 with `restart-phase`. */
  readonly maxAttempts?: number
}

/** A phase made of phases. Its hooks run after those of the last (or failed) one inside. */
export interface PhaseGroup<S = unknown> {
  readonly name: string
  readonly phases: readonly AnyPhase<S>[]
  when?(ctx: PhaseContext<S>): boolean
  onSuccess?(ctx: PhaseContext<S>): Promise<void>
  onFailure?(ctx: PhaseContext<S>, error: Error): Promise<void>
}

export type AnyPhase<S = unknown> = Phase<S> | PhaseGroup<S>

/** What a phase may use. Valid until its `execute` (or hook) has ended. */
export interface PhaseContext<S = unknown> {
  readonly job: JobId
  readonly kind: string
  /** Path through the groups: `Content/Hashing`. */
  readonly phase: string
  /** Shared by all phases; replace or change it at will. Plain values that MessagePack holds (bigint and bytes too). */
  state: S
  /** Aborted when the job is paused or cancelled and when the program ends; hand it to everything that may take long. */
  readonly signal: AbortSignal
  readonly clock: Clock
  /** Throws `signal.reason` when the job is to stop here. */
  checkInterrupt(): void
  /** Makes the state durable; after a crash the job goes on from here. Rejects like `checkInterrupt`. */
  checkpoint(): Promise<void>
  /** Counts of this phase. Done never falls: a lower figure is ignored. Cheap: the bus gets at most ten a second. */
  progress(update: ProgressUpdate): void
  /** `count` more files (or other things) are done, of `total` where known. */
  atomicOperationComplete(count: number, total?: number): void
  /** One line of the log that `job info` shows. */
  log(message: string): void
  logError(message: string): void
  /**
   * Waits for something that is no work of this job, its place among the running ones lent to others meanwhile. Afterwards it may
   * wait for a place again: nothing that others need may be held then.
   * @throws what `waiting` throws; `signal.reason`
   */
  waitFor<T>(waiting: Promise<T>): Promise<T>
  /** A path (or thing) that could not be handled: the job goes on and ends as completed with problems. */
  problem(problem: Problem): void
  readonly problems: number
  /**
   * Starts a job as a child of this one: its progress adds up here, pausing and cancelling reach it. `key` names it among the
   * children of this job: after a resume the same key gives the job that was begun, never a second one.
   */
  spawn<I, CS, O>(definition: JobDefinition<I, CS, O>, input: I, options: ChildOptions): Promise<ChildJob<O>>
}

export interface ChildJob<O> {
  readonly id: JobId
  /** Waits for its end, giving this job's place among the running ones to others meanwhile. Never rejects but with `signal.reason`. */
  outcome(): Promise<JobOutcome<O>>
}

export function isGroup<S>(phase: AnyPhase<S>): phase is PhaseGroup<S> {
  return 'phases' in phase
}

/** Takes `items` in batches from `start` on: checks for an interrupt before, counts each item, makes a checkpoint after each batch. */
export async function inBatches<T, S>(
  ctx: PhaseContext<S>,
  items: readonly T[],
  options: {
    size: number
    /** Index of the first item not done yet, from the state. */
    start: number
    each(item: T, index: number): Promise<void>
    /** Writes the index of the next item to the state; called before each checkpoint. */
    done(next: number): void
  }
): Promise<void> {
  for (let from = options.start; from < items.length; from += options.size) {
    const end = Math.min(items.length, from + options.size)
    for (let i = from; i < end; i++) {
      ctx.checkInterrupt()
      await options.each(items[i] as T, i)
      ctx.atomicOperationComplete(1, items.length)
    }
    options.done(end)
    await ctx.checkpoint()
  }
}
