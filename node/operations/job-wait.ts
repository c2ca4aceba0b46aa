import { type AnyEvent, type JobId, type ProgressFields, SpacedriveError } from '../../storage/base/index.js'
import type { Peer } from '../compose.js'
import { shortId } from './job-text.js'

/**
 * Waits for a job that ends with the call: who asked and went away meant to end it.
 * @throws as `waitForJob`
 */
export async function waitOrCancel(
  peer: Peer,
  job: JobId,
  { emit, signal }: { emit(progress: ProgressFields): void; signal: AbortSignal }
): Promise<void> {
  const left = (): void => void peer.jobs.cancel(job).catch(() => {})
  if (signal.aborted) left()
  signal.addEventListener('abort', left, { once: true })
  try {
    await waitForJob(peer, job, emit, signal)
  } finally {
    signal.removeEventListener('abort', left)
  }
}

/** How a job that was waited for ended: plain values. */
export interface JobEnd {
  readonly job: JobId
  readonly state: string
  readonly problems: number
}

/** What a person is told who gives up waiting for a job. */
export function jobGoesOn(last: unknown): string | undefined {
  const job = (last as { job?: unknown } | undefined)?.job
  if (typeof job !== 'string') return undefined
  return `The job goes on: \`spacedrive job monitor\` shows how far it is, \`spacedrive job cancel ${shortId(job)}\` ends it.`
}

/**
 * Waits for the end of a job and tells its progress on the way. The job goes on when the caller goes away.
 * @throws {SpacedriveError} the job's own error, or JOB_CANCELLED
 */
export async function waitForJob(
  peer: Peer,
  job: JobId,
  emit: (progress: ProgressFields) => void,
  signal: AbortSignal
): Promise<JobEnd> {
  const off = peer.events.onAny((event: AnyEvent) => {
    if (event.type === 'job:progress' && event.job === job) emit(event)
  })
  try {
    const { state, problems, error } = await peer.jobs.outcome(job, { signal })
    if (error !== undefined)
      throw new SpacedriveError(error.code, error.message, error.hint === undefined ? {} : { hint: error.hint })
    if (state === 'cancelled') throw new SpacedriveError('JOB_CANCELLED', 'the job was cancelled')
    return { job, state, problems }
  } finally {
    off()
  }
}
