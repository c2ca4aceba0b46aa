import type { z } from 'zod'
import type { JobId, PlainError, Problem, ProgressFields } from '../base/index.js'
import type { AnyPhase, PhaseExecution } from './phase.js'

export const JOB_STATES = [
  'queued',
  'running',
  'paused',
  'completed',
  'completed-with-problems',
  'failed',
  'cancelled'
] as const
export type JobState = (typeof JOB_STATES)[number]

/** In the order in which waiting jobs are begun. A critical job does not wait for others to end (see the scheduler). */
export const PRIORITIES = ['critical', 'high', 'normal', 'low'] as const
export type Priority = (typeof PRIORITIES)[number]

/** Plain values as they go through JSON: inputs by name, outputs. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json | undefined }

/** Made by `defineJob`. `I` input, `S` state, `O` output. */
export interface JobDefinition<I = unknown, S = unknown, O = unknown> {
  /** Stable name, stored with each job: `index-location`. */
  readonly kind: string
  /** One line for help: what it does. */
  readonly summary: string
  /** Checked at every way in, by code and by name from JSON; also what makes a program's input a typed one. */
  readonly input: z.ZodType<I>
  /** One line for lists: `index Photos`. The kind when left out. */
  title?(input: I): string
  /** Raised whenever the shape of the state changes. */
  readonly version: number
  /** The state at the very beginning. */
  state(input: I): S
  /** Makes a state of an older version one of this; without it, or when it throws, such a job begins anew. */
  upgrade?(state: unknown, version: number): S
  /** The phases for this input, in order: conditional and mode-driven ones are simply left out. Same input, same phases. */
  phases(input: I): readonly AnyPhase<S>[]
  /** What the job gives back, shown by `job info` and in JSON. */
  output(state: S, facts: JobFacts): O
  /** What it is about (`location:...`). Jobs with the same text run one after the other, whatever the number of free places. */
  serial?(input: I): string
  readonly priority?: Priority
  /** Hooks; what they throw goes to the job's log. */
  onPause?(state: S): Promise<void>
  onResume?(state: S): Promise<void>
  onCancel?(state: S): Promise<void>
}

export interface JobFacts {
  readonly problems: number
  readonly startedAt: number
  readonly endedAt: number
  readonly progress: ProgressFields
}

/** Keeps the types of input, state and output together. */
export function defineJob<I, S, O extends Json | undefined>(
  definition: JobDefinition<I, S, O>
): JobDefinition<I, S, O> {
  return Object.freeze(definition)
}

export interface DispatchOptions {
  priority?: Priority | undefined
}

export interface ChildOptions extends DispatchOptions {
  key: string
}

export interface JobOutcome<O = unknown> {
  readonly id: JobId
  readonly state: 'completed' | 'completed-with-problems' | 'failed' | 'cancelled'
  /** Present when completed. */
  readonly output?: O
  /** Present when failed. */
  readonly error?: PlainError
  readonly problems: number
}

/** A job as lists show it: plain values. Times are milliseconds since 1970. */
export interface JobSummary {
  readonly id: JobId
  readonly kind: string
  readonly title: string
  readonly state: JobState
  readonly priority: Priority
  readonly parent: JobId | null
  /** Path through the groups; null before the first. */
  readonly phase: string | null
  readonly progress: ProgressFields | null
  readonly problems: number
  readonly error: PlainError | null
  /** `program`: it waits for something, and is resumed by whoever paused it. */
  readonly pausedBy: PausedBy | null
  /** Why it is paused, in words; null otherwise. */
  readonly pausedBecause: string | null
  readonly createdAt: number
  readonly startedAt: number | null
  readonly endedAt: number | null
}

export type PausedBy = 'person' | 'parent' | 'program'

export interface JobFilter {
  readonly states?: readonly JobState[] | undefined
  /** Only jobs with this serial key: what they are about. */
  readonly serial?: string | undefined
  readonly limit?: number | undefined
}

export interface LogLine {
  readonly at: number
  readonly level: 'info' | 'error'
  readonly phase: string | null
  readonly message: string
}

/** Everything about one job. Log and problems are bounded: the newest lines, the first problems (limits in `limits.ts`). */
export interface JobInfo extends JobSummary {
  readonly output: Json | undefined
  readonly history: readonly PhaseExecution[]
  readonly log: readonly LogLine[]
  readonly problemList: readonly Problem[]
  readonly children: readonly JobSummary[]
}
