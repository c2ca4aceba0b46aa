import { z } from 'zod'
import type { RelPath } from '../../storage/base/index.js'
import { ANSWERS } from './copy-input.js'
import { notAsked } from './copy-wait.js'
import { shortId } from './job-text.js'
import { defineOperation } from './operation.js'

/** For programs and the terminal: what becomes of files that exist where a copy goes. */
export const fileAnswer = defineOperation({
  name: 'file.answer',
  summary: 'Answer a copy that asks about files that exist',
  input: z.strictObject({
    job: z.string().min(1),
    answer: z.enum(ANSWERS),
    /** All that have no answer yet where left out. */
    paths: z.array(z.string()).max(1000).optional(),
    /** The copy goes on with what was answered. */
    resume: z.boolean().default(true)
  }),
  async run({ peer: { jobs, copies } }, { job, answer, paths, resume }) {
    const id = jobs.resolve(job)
    const answered = await copies.answer(id, answer, paths as RelPath[] | undefined)
    if (answered === 0) throw notAsked(shortId(id))
    if (resume) await jobs.resume(id)
    return { job: id, answered, state: jobs.info(id).state }
  }
})
