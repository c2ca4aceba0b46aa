import { z } from 'zod'
import { JOB_STATE_NAMES } from './job-states.js'
import { jobRemark, shortId, stateText } from './job-text.js'
import { defineOperation } from './operation.js'

export const jobList = defineOperation({
  name: 'job.list',
  summary: 'Work in the background: what runs, waits, and ran',
  input: z.strictObject({
    states: z.array(z.enum(JOB_STATE_NAMES)).optional(),
    limit: z.number().int().min(1).max(1000).default(50)
  }),
  async run({ peer }, { states, limit }) {
    return { now: peer.clock.nowMs(), jobs: peer.jobs.list({ limit, ...(states === undefined ? {} : { states }) }) }
  },
  command: {
    path: 'job list',
    options: [
      ['--state <state...>', `only these: ${JOB_STATE_NAMES.join(', ')}`],
      ['--limit <n>', 'the newest so many (50)']
    ],
    examples: ['spacedrive job list', 'spacedrive job list --state running paused'],
    input: ({ options }) => ({
      ...(Array.isArray(options.state) ? { states: options.state as (typeof JOB_STATE_NAMES)[number][] } : {}),
      ...(typeof options.limit === 'string' ? { limit: Number(options.limit) } : {})
    }),
    render({ now, jobs }, terminal) {
      if (jobs.length === 0) terminal.line('No jobs.')
      terminal.table(
        jobs.map(j => ({
          ID: shortId(j.id),
          JOB: j.parent === null ? j.title : `  ${j.title}`,
          STATE: stateText(j.state, terminal),
          '': jobRemark(j, now)
        }))
      )
    }
  }
})
