import { z } from 'zod'
import type { JobSummary } from '../../storage/jobs/index.js'
import { liveLine, shortId, stateText } from './job-text.js'
import { watchJobs } from './job-watch.js'
import { defineOperation } from './operation.js'

/** What is told: all jobs at work, and those that ended since the last time. */
export interface JobsNow {
  jobs: readonly JobSummary[]
  ended: readonly JobSummary[]
}

export const jobMonitor = defineOperation({
  name: 'job.monitor',
  summary: 'Watch jobs at work, live',
  input: z.strictObject({ job: z.string().min(1).optional(), untilIdle: z.boolean().default(false) }),
  async run({ peer, signal, emit }, { job, untilIdle }) {
    // One job ends, and what watches it with it.
    const only = job === undefined ? undefined : peer.jobs.resolve(job)
    return { ended: await watchJobs(peer, emit, { signal, untilIdle: untilIdle || only !== undefined, only }) }
  },
  command: {
    path: 'job monitor',
    options: [
      ['--job-id <job>', 'only this one and its parts, to its end'],
      ['--until-idle', 'end when no job is left at work']
    ],
    examples: ['spacedrive job monitor', 'spacedrive job monitor --job-id 3f2a9c1e'],
    input: ({ options }) => ({
      ...(typeof options.jobId === 'string' ? { job: options.jobId } : {}),
      untilIdle: options.untilIdle === true
    }),
    progress({ jobs, ended }: JobsNow, terminal) {
      // What has ended goes from the live part and leaves one line behind.
      for (const job of ended) terminal.line(`${shortId(job.id)} ${job.title}  ${stateText(job.state, terminal)}`)
      terminal.block(jobs.length === 0 ? ['No jobs at work. Ctrl-C ends this.'] : jobs.map(j => liveLine(j, terminal)))
    },
    render({ ended }, terminal) {
      terminal.line(ended === 1 ? '1 job ended.' : `${ended} jobs ended.`)
    }
  }
})
