import { z } from 'zod'
import { SpacedriveError } from '../../storage/base/index.js'
import { asTyped } from './as-typed.js'
import { JOB_STATE_NAMES } from './job-states.js'
import { jobRemark, shortId, stateText } from './job-text.js'
import { limitOption } from './number-option.js'
import { defineOperation } from './operation.js'

const MAX_LIMIT = 1_000

export const jobList = defineOperation({
  name: 'job.list',
  summary: 'Work in the background: what runs, waits, and ran',
  input: z.strictObject({
    states: z.array(z.enum(JOB_STATE_NAMES)).optional(),
    limit: z.number().int().min(1).max(MAX_LIMIT).default(50)
  }),
  async run({ peer }, { states, limit }) {
    return { now: peer.clock.nowMs(), jobs: peer.jobs.list({ limit, ...(states === undefined ? {} : { states }) }) }
  },
  command: {
    path: 'job list',
    options: [
      ['--status <state...>', `only these: ${JOB_STATE_NAMES.join(', ')}`],
      ['--limit <n>', 'the newest so many (50)']
    ],
    examples: ['spacedrive job list', 'spacedrive job list --status running paused'],
    input: ({ options: o }) => ({
      ...(Array.isArray(o.status) ? { states: o.status.flatMap(s => s.split(',')).map(jobState) } : {}),
      ...limitOption(o.limit, MAX_LIMIT)
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

function jobState(text: string): (typeof JOB_STATE_NAMES)[number] {
  const state = JOB_STATE_NAMES.find(name => name === text)
  if (state !== undefined) return state
  throw new SpacedriveError('USAGE', `expected --status ${JOB_STATE_NAMES.join(' | ')}, got ${asTyped(text)}`)
}
