import { type ChildOptions, type JobOutcome, PRIORITIES } from './job.js'
import type { ChildJob, PhaseContext } from './phase.js'
import type { AnyJob, JobRun } from './run.js'

/** What a phase of `run` sees. `signal` is that of the run, or a fresh one for roll-backs. */
export function phaseContext(run: JobRun, phase: string, signal: AbortSignal): PhaseContext<unknown> {
  return {
    job: run.id,
    kind: run.definition.kind,
    phase,
    signal,
    clock: run.components.clock,
    get state() {
      return run.state
    },
    set state(value) {
      run.state = value
    },
    get problems() {
      return run.problems
    },
    checkInterrupt: () => signal.throwIfAborted(),
    async checkpoint() {
      await run.checkpoint()
      signal.throwIfAborted()
    },
    progress: update => run.meter.update(update),
    atomicOperationComplete: (count, total) => run.meter.add(count, total),
    waitFor: waiting => run.components.waitFor(run, waiting),
    log: message => run.log('info', message, phase),
    logError: message => run.log('error', message, phase),
    problem: problem => run.problem(problem),
    async spawn<O>(definition: AnyJob, input: unknown, { key, priority }: ChildOptions): Promise<ChildJob<O>> {
      const level = priority === undefined ? undefined : PRIORITIES.indexOf(priority)
      const id = await run.components.spawn(run, definition, input, key, level)
      return { id, outcome: () => run.components.childOutcome(run, id) as Promise<JobOutcome<O>> }
    }
  }
}
