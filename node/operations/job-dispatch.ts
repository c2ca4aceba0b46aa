import { z } from 'zod'
import { PRIORITY_NAMES } from './job-states.js'
import { defineOperation } from './operation.js'

/** For programs: any kind of job by its name; the input is checked against the schema of that kind. */
export const jobDispatch = defineOperation({
  name: 'job.dispatch',
  summary: 'Begin a job of a kind by name',
  input: z.strictObject({
    kind: z.string().min(1),
    input: z.unknown(),
    priority: z.enum(PRIORITY_NAMES).optional()
  }),
  async run({ peer }, { kind, input, priority }) {
    const { id } = await peer.jobs.dispatchByName(kind, input, { priority })
    return { id }
  }
})

export const jobKinds = defineOperation({
  name: 'job.kinds',
  summary: 'Every kind of job, with the JSON schema of its input',
  input: z.strictObject({}),
  async run({ peer }) {
    return { kinds: peer.jobs.kinds() }
  }
})
