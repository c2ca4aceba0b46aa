import { z } from 'zod'
import { SpacedriveError } from '../base/index.js'
import { defineJob } from './job.js'
import type { AnyJob } from './run.js'
import { type JobRow, shortJobId } from './store.js'

/** Stands for a kind that this version does not know, where a stored job of it is cancelled. */
export const UNKNOWN_KIND: AnyJob = defineJob({
  kind: 'unknown',
  summary: 'a job of another version of the program',
  version: 0,
  input: z.unknown(),
  state: () => null,
  upgrade: () => null,
  phases: () => [],
  output: () => undefined
})

/** @throws {SpacedriveError} JOB_INPUT, naming the field */
export function parseInput(definition: AnyJob, raw: unknown): unknown {
  const parsed = definition.input.safeParse(raw)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const field = issue === undefined || issue.path.length === 0 ? '' : `${issue.path.join('.')}: `
  throw new SpacedriveError(
    'JOB_INPUT',
    `could not begin the job ${definition.kind}: ${field}${issue?.message ?? 'its input was refused'}`
  )
}

/** What is asked cannot be done to a job in this state. */
export function wrongState(row: JobRow, asked: 'paused' | 'resumed' | 'cancelled'): SpacedriveError {
  const id = shortJobId(row.id)
  return new SpacedriveError('JOB_STATE', `the job ${id} (${row.title}) cannot be ${asked}: it is ${row.state}`, {
    details: { job: row.id, state: row.state }
  })
}
