import { z } from 'zod'
import { type JobId, SpacedriveError } from '../../storage/base/index.js'
import type { Peer } from '../compose.js'
import { ANSWERS, oneOf } from './copy-input.js'
import { shortId } from './job-text.js'
import { defineOperation, type Terminal } from './operation.js'

export interface Controlled {
  id: JobId
  title: string
  state: string
}

/** One thing done to one job, named by a part of its id. */
function control<const N extends string>(
  name: N,
  summary: string,
  act: (jobs: Peer['jobs'], id: JobId) => Promise<void>,
  render: (job: Controlled, terminal: Terminal) => void
) {
  const path = name.replace('.', ' ')
  return defineOperation({
    name,
    summary,
    input: z.strictObject({ job: z.string().min(1) }),
    async run({ peer: { jobs } }, { job }): Promise<Controlled> {
      const id = jobs.resolve(job)
      await act(jobs, id)
      const { title, state } = jobs.summary(id)
      return { id, title, state }
    },
    command: {
      path,
      arguments: [['<job>', 'its id, or the beginning or end of it']],
      examples: [`spacedrive ${path} 3f2a9c1e`],
      input: ({ arguments: [job] }) => ({ job: String(job) }),
      render
    }
  })
}

export const jobPause = control(
  'job.pause',
  'Let a job rest; its work so far is kept',
  (jobs, id) => jobs.pause(id),
  ({ id, title }, terminal) => terminal.line(`${title} is paused. Go on with \`spacedrive job resume ${shortId(id)}\`.`)
)

export const jobResume = defineOperation({
  name: 'job.resume',
  summary: 'Go on with a paused job, or try a failed one again',
  input: z.strictObject({
    job: z.string().min(1),
    /** For a copy that asks about files that exist: what becomes of all that have no answer yet. */
    answer: z.enum(ANSWERS).optional()
  }),
  async run({ peer: { jobs, copies } }, { job, answer }): Promise<Controlled> {
    const id = jobs.resolve(job)
    if (answer !== undefined && (await copies.answer(id, answer)) === 0) {
      throw new SpacedriveError('NOTHING_TO_ANSWER', `the job ${shortId(id)} asks nothing`, {
        hint: 'Resume it without --answer.'
      })
    }
    await jobs.resume(id)
    const { title, state } = jobs.info(id)
    return { id, title, state }
  },
  command: {
    path: 'job resume',
    arguments: [['<job>', 'its id, or the beginning or end of it']],
    options: [['--answer <what>', 'for files that exist where a copy goes: replace, skip or skip-newer']],
    examples: ['spacedrive job resume 3f2a9c1e', 'spacedrive job resume 3f2a9c1e --answer skip'],
    input: ({ arguments: [job], options: { answer } }) => ({
      job: String(job),
      ...(answer === undefined ? {} : { answer: oneOf('--answer', ANSWERS, answer) })
    }),
    render: ({ title, state }, terminal) => terminal.line(`${title} goes on (${state}).`)
  }
})

export const jobCancel = control(
  'job.cancel',
  'End a job for good',
  (jobs, id) => jobs.cancel(id),
  ({ title }, terminal) => terminal.line(`${title} is cancelled.`)
)
