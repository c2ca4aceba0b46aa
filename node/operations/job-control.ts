import { z } from 'zod'
import { shortId } from './job-text.js'
import { defineOperation } from './operation.js'

const input = z.strictObject({ job: z.string().min(1) })
const argument = [['<job>', 'its id, or the beginning or end of it']] as const

export const jobPause = defineOperation({
  name: 'job.pause',
  summary: 'Let a job rest; its work so far is kept',
  input,
  async run({ peer }, { job }) {
    const id = peer.jobs.resolve(job)
    await peer.jobs.pause(id)
    return { id, title: peer.jobs.info(id).title, state: peer.jobs.info(id).state }
  },
  command: {
    path: 'job pause',
    arguments: argument,
    examples: ['spacedrive job pause 3f2a9c1e'],
    input: ({ arguments: [job] }) => ({ job: String(job) }),
    render: ({ id, title }, terminal) =>
      terminal.line(`${title} is paused. Go on with \`spacedrive job resume ${shortId(id)}\`.`)
  }
})

export const jobResume = defineOperation({
  name: 'job.resume',
  summary: 'Go on with a paused job, or try a failed one again',
  input,
  async run({ peer }, { job }) {
    const id = peer.jobs.resolve(job)
    await peer.jobs.resume(id)
    return { id, title: peer.jobs.info(id).title, state: peer.jobs.info(id).state }
  },
  command: {
    path: 'job resume',
    arguments: argument,
    examples: ['spacedrive job resume 3f2a9c1e'],
    input: ({ arguments: [job] }) => ({ job: String(job) }),
    render: ({ title, state }, terminal) => terminal.line(`${title} goes on (${state}).`)
  }
})

export const jobCancel = defineOperation({
  name: 'job.cancel',
  summary: 'End a job for good',
  input,
  async run({ peer }, { job }) {
    const id = peer.jobs.resolve(job)
    await peer.jobs.cancel(id)
    return { id, title: peer.jobs.info(id).title, state: peer.jobs.info(id).state }
  },
  command: {
    path: 'job cancel',
    arguments: argument,
    examples: ['spacedrive job cancel 3f2a9c1e'],
    input: ({ arguments: [job] }) => ({ job: String(job) }),
    render: ({ title }, terminal) => terminal.line(`${title} is cancelled.`)
  }
})
