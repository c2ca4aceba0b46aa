import type { AnyEvent, JobId } from '../../storage/base/index.js'
import type { JobSummary } from '../../storage/jobs/index.js'
import type { Peer } from '../compose.js'
import { changes } from './changes.js'
import type { JobsNow } from './job-monitor.js'

const AT_WORK = ['running', 'queued', 'paused'] as const
/** A person sees no more than this; the bus carries no more per job. */
const MIN_INTERVAL_MS = 100

/**
 * Tells what is at work now and at each change, at most ten times a second, until the signal or (`untilIdle`) until nothing
 * runs or waits.
 * @param options.only - nothing but this job and its children
 * @returns how many jobs ended meanwhile
 */
export async function watchJobs(
  peer: Peer,
  emit: (value: JobsNow) => void,
  { signal, untilIdle, only }: { signal: AbortSignal; untilIdle: boolean; only?: JobId | undefined }
): Promise<number> {
  const ended = new Map<string, JobSummary>()
  let count = 0
  const wanted = (job: JobSummary): boolean => only === undefined || job.id === only || job.parent === only
  const note = (event: AnyEvent): boolean => {
    if (event.type === 'job:completed' || event.type === 'job:failed' || event.type === 'job:cancelled') {
      const job = peer.jobs.summary(event.job as JobId)
      if (wanted(job)) ended.set(event.job, job)
    }
    return event.type.startsWith('job:')
  }
  for await (const _ of changes(peer, { signal, intervalMs: MIN_INTERVAL_MS, note })) {
    const jobs = peer.jobs.list({ states: AT_WORK }).filter(wanted)
    emit({ jobs, ended: [...ended.values()] })
    count += ended.size
    ended.clear()
    if (untilIdle && !jobs.some(j => j.state !== 'paused')) break
  }
  return count
}
