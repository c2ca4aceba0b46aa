import type { JobId, Problem, ProgressFields } from '../../storage/base/index.js'
import { showProblems } from './file-text.js'
import { shortId } from './job-text.js'
import { waitForJob } from './job-wait.js'
import type { OperationContext, Terminal } from './operation.js'

/** Problems in one answer; `job info` has up to a thousand. */
const MAX_PROBLEMS = 100

/** How a job on files ended; null when it was not waited for. */
export interface FileJobEnd<O> {
  readonly job: JobId
  readonly state: string
  readonly problems: readonly Problem[]
  readonly problemCount: number
  readonly output: O
}

/** Waits for a job and gives what it gave back. @throws the job's own error, JOB_CANCELLED */
export async function endOfJob<O>({ peer, signal, emit }: OperationContext, job: JobId): Promise<FileJobEnd<O>> {
  const { state, problems } = await waitForJob(peer, job, emit as (progress: ProgressFields) => void, signal)
  const info = peer.jobs.info(job)
  return {
    job,
    state,
    problems: info.problemList.slice(0, MAX_PROBLEMS),
    problemCount: problems,
    output: info.output as O
  }
}

export function showJobProblems({ job, problems, problemCount }: FileJobEnd<unknown>, terminal: Terminal): void {
  showProblems(problems, problemCount, terminal)
  if (problemCount > problems.length) terminal.note(`All of them: \`spacedrive job info ${shortId(job)}\`.`)
}

/** What a command says that leaves its job to the daemon. */
export function showBegun(what: string, job: string, terminal: Terminal): void {
  terminal.line(`${what} (job ${shortId(job)}). \`spacedrive job monitor\` shows how far it is.`)
}
