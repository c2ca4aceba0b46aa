/**
 * Jobs: long work as a sequence of phases that survives a pause, a restart and a crash.
 *
 *   export const countJob = defineJob({
 *     kind: 'count', summary: 'counts to a number', version: 1,
 *     input: z.strictObject({ to: z.number().int().min(1) }),
 *     state: () => ({ at: 0 }),
 *     phases: ({ to }) => [{
 *       name: 'Counting',
 *       async execute(ctx) {
 *         while (ctx.state.at < to) {
 *           ctx.checkInterrupt()              // pause, cancel, end of the program
 *           ctx.state.at++
 *           ctx.atomicOperationComplete(1, to)
 *           if (ctx.state.at % 100 === 0) await ctx.checkpoint()
 *         }
 *       }
 *     }],
 *     output: state => ({ counted: state.at })
 *   })
 *   jobs.register(countJob)
 *   const { output } = await (await jobs.dispatch(countJob, { to: 1000 })).outcome()
 *
 * What a phase needs of the rest of the program (a library, the pool) it gets by closure: make the definition in a function
 * that takes it. Heavy work runs in the pool; a phase itself runs on the event loop. The state is one small plain value;
 * what grows with a tree belongs in a table, with the state saying how far it got. docs/jobs.md tells the whole story.
 */
export { fatal, JobInterrupt, NonFatalError, nonFatal } from './errors.js'
export {
  type ChildOptions,
  type DispatchOptions,
  defineJob,
  JOB_STATES,
  type JobDefinition,
  type JobFacts,
  type JobFilter,
  type JobInfo,
  type JobOutcome,
  type JobState,
  type JobSummary,
  type Json,
  type LogLine,
  type PausedBy,
  PRIORITIES,
  type Priority
} from './job.js'
export type { JobManagerInit } from './job-service.js'
export { type JobHandle, type JobManager, jobManager } from './manager.js'
export { type Going, type OnePieceInit, onePiece, type PieceState } from './one-piece.js'
export {
  type AnyPhase,
  type ChildJob,
  complete,
  inBatches,
  type Phase,
  type PhaseContext,
  type PhaseExecution,
  type PhaseGroup,
  type PhaseOutput,
  type PhaseStatus,
  proceed,
  type Recovery,
  skipTo
} from './phase.js'
export { type PhaseHost, PhaseProcessor, type Position } from './processor.js'
export type { ProgressUpdate } from './progress.js'
export { shortJobId } from './store.js'
