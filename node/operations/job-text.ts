import { isUuid, type JobId } from '../../storage/base/index.js'
import type { JobManager, JobState, JobSummary } from '../../storage/jobs/index.js'
import { formatDuration, formatTook } from './format.js'
import type { Terminal } from './operation.js'
import { problems, progressLine, shareOf } from './progress.js'

/** The end of an id: ids that were made together begin alike. What `job ...` takes as well as the whole. */
export function shortId(id: string): string {
  return id.slice(-8)
}

/** A job by the part of its id; by the whole also one of another device: what that threw away here bears its id. @throws JOB_UNKNOWN */
export function jobAnywhere({ jobs }: { readonly jobs: Pick<JobManager, 'resolve'> }, text: string): JobId {
  try {
    return jobs.resolve(text)
  } catch (err) {
    if (isUuid(text)) return text as JobId
    throw err
  }
}

const COLORS: Partial<Record<JobState, 'red' | 'green' | 'yellow' | 'cyan'>> = {
  running: 'cyan',
  paused: 'yellow',
  completed: 'green',
  'completed-with-problems': 'yellow',
  failed: 'red'
}

export function stateText(state: JobState, terminal: Terminal): string {
  const text = state.replaceAll('-', ' ')
  const color = COLORS[state]
  return color === undefined ? text : terminal.color(color, text)
}

/** What it is doing or how it ended, in a few words. */
export function jobRemark(job: JobSummary, nowMs: number): string {
  if (job.error !== null) return job.error.message
  if (job.pausedBecause !== null) return job.pausedBecause
  if (job.state === 'running' && job.progress !== null) {
    const share = shareOf(job.progress)
    return [job.phase ?? '', share === undefined ? '' : `${Math.floor(share * 100)} %`].filter(Boolean).join(' ')
  }
  if (job.endedAt !== null) {
    const took = job.startedAt === null ? '' : `took ${formatTook(job.endedAt - job.startedAt)}`
    return [took, job.problems > 0 ? problems(job.problems) : '', `${formatDuration(nowMs - job.endedAt)} ago`]
      .filter(Boolean)
      .join(', ')
  }
  return ''
}

/** One line of the live view. */
export function liveLine(job: JobSummary, terminal: Terminal): string {
  const head = `${terminal.dim(shortId(job.id))} ${job.title}`
  if (job.state === 'running' && job.progress !== null) return `${head}  ${progressLine(job.progress, terminal)}`
  return `${head}  ${stateText(job.state, terminal)}${job.pausedBecause === null ? '' : `: ${job.pausedBecause}`}`
}
