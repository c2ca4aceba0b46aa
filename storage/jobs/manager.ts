import type { AbortOptions, JobId, Startable } from '../base/index.js'
import type { DispatchOptions, JobDefinition, JobFilter, JobInfo, JobOutcome, JobSummary, Json } from './job.js'
import { type JobManagerInit, JobService } from './job-service.js'

/** Runs jobs: order, number at once, persistence, resuming. One for a daemon. */
export interface JobManager extends Startable {
  /** Makes a kind of job known. All kinds are registered before `start`, which resumes what was running. */
  register<I, S, O>(definition: JobDefinition<I, S, O>): void
  /** Every kind by name, with the JSON schema of its input. */
  kinds(): { kind: string; summary: string; schema: unknown }[]
  /** Stores the job and queues it; it has survived a crash once this resolves. @throws JOB_INPUT */
  dispatch<I, S, O>(definition: JobDefinition<I, S, O>, input: I, options?: DispatchOptions): Promise<JobHandle<O>>
  /** The same from outside: input is checked against the schema of the kind. @throws JOB_KIND_UNKNOWN, JOB_INPUT */
  dispatchByName(kind: string, input: unknown, options?: DispatchOptions): Promise<JobHandle<Json>>
  /** Waits for a job's end, however it was begun. @throws JOB_UNKNOWN, `signal.reason` */
  outcome(id: JobId, options?: AbortOptions): Promise<JobOutcome>
  /** Newest first, those at work before the ended ones. */
  list(filter?: JobFilter): JobSummary[]
  /** What a list shows of it; without its phases, problems and log. @throws JOB_UNKNOWN */
  summary(id: JobId): JobSummary
  /** @throws JOB_UNKNOWN */
  info(id: JobId): JobInfo
  /** The one job whose id begins or ends with `part`, 4 letters or more. @throws JOB_UNKNOWN, JOB_AMBIGUOUS */
  resolve(part: string): JobId
  /** Resolves when the job has come to rest with its state kept. @throws JOB_UNKNOWN, JOB_STATE */
  pause(id: JobId, options?: PauseOptions): Promise<void>
  /** Puts a paused job back into the queue; a failed one too, at its last checkpoint. @throws JOB_UNKNOWN, JOB_STATE */
  resume(id: JobId): Promise<void>
  /** Resolves when it has stopped and was rolled back. An ended job: JOB_STATE. */
  cancel(id: JobId): Promise<void>
}

export interface PauseOptions {
  /** For a part of the program: what the job waits for, in words. Whoever says so also resumes it. */
  because?: string | undefined
}

export interface JobHandle<O> {
  readonly id: JobId
  outcome(options?: AbortOptions): Promise<JobOutcome<O>>
}

/** Makes the manager of a daemon; `register` all kinds, then `start`. */
export function jobManager(init: JobManagerInit): JobManager {
  return new JobService(init)
}
