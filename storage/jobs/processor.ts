import { type Problem, SpacedriveError, toError } from '../base/index.js'
import { fatal, JobInterrupt, NonFatalError } from './errors.js'
import { MAX_HISTORY } from './limits.js'
import {
  type AnyPhase,
  isGroup,
  type Phase,
  type PhaseContext,
  type PhaseExecution,
  type PhaseGroup,
  type PhaseOutput,
  type PhaseStatus,
  proceed
} from './phase.js'

/** Where a job stands: the path of a phase, and whether that phase had begun. */
export interface Position {
  readonly path: readonly string[]
  readonly entered: boolean
}

/** What the processor asks of whoever runs it (a job, or a test). */
export interface PhaseHost<S> {
  /** Aborted with a JobInterrupt when the phases are to stop. */
  readonly signal: AbortSignal
  readonly nowMs: () => number
  /** `hook`: for a roll-back, whose signal must not be the aborted one. */
  context(path: string, hook?: boolean): PhaseContext<S>
  /** Makes the position durable, with the state as it is; a phase that restarts needs the state kept as its beginning. */
  begin(position: Position, keepStart: boolean): Promise<void>
  /** Puts the state back: to the last checkpoint, or to where the phase began. */
  restore(to: 'checkpoint' | 'phase-start'): void
  problem(problem: Problem): void
  log(level: 'info' | 'error', message: string, phase: string): void
}

/** Runs phases in order, from the beginning or from where an earlier run was cut short. One use. */
export class PhaseProcessor<S> {
  readonly history: PhaseExecution[]
  /** What stopped the earlier run: a person's pause and a clean end resume, a crash recovers. */
  readonly #crashed: boolean
  readonly #host: PhaseHost<S>
  readonly #phases: readonly AnyPhase<S>[]

  constructor(
    host: PhaseHost<S>,
    phases: readonly AnyPhase<S>[],
    earlier: { history: readonly PhaseExecution[]; crashed: boolean } = { history: [], crashed: false }
  ) {
    this.#host = host
    this.#phases = phases
    this.#crashed = earlier.crashed
    this.history = earlier.history.map(h =>
      h.status === 'running'
        ? { ...h, status: 'failed', endedAt: null, error: { code: 'JOB_INTERRUPTED', message: 'the program ended' } }
        : h
    )
  }

  /**
   * @throws what a phase failed with, after its recovery; the JobInterrupt of the host's signal
   */
  async run(from?: Position): Promise<void> {
    const output = await this.#sequence(this.#phases, [], from)
    if (output.next === 'skip-to') throw unknownPhase(output.phase)
  }

  /** Rolls back the phase at `position` as if it had been cancelled there: for a job that is not running. */
  async rollBack({ path, entered }: Position, error: Error): Promise<void> {
    let level = this.#phases
    const around: AnyPhase<S>[] = []
    for (const name of path) {
      const phase = level.find(p => p.name === name)
      if (phase === undefined) break
      around.unshift(phase)
      level = isGroup(phase) ? phase.phases : []
    }
    for (const [i, phase] of around.entries()) {
      if (i === 0 && !entered) continue
      await this.#failed(phase, path.slice(0, path.length - i).join('/'), error)
    }
  }

  async #sequence(phases: readonly AnyPhase<S>[], outer: readonly string[], from?: Position): Promise<PhaseOutput> {
    const resumeAt = from === undefined ? -1 : phases.findIndex(p => p.name === from.path[outer.length])
    for (let i = Math.max(0, resumeAt); i < phases.length; ) {
      const phase = phases[i]!
      const path = [...outer, phase.name]
      const resumed = i === resumeAt ? from : undefined
      const output = isGroup(phase) ? await this.#group(phase, path, resumed) : await this.#phase(phase, path, resumed)
      if (output.next === 'complete') return output
      if (output.next === 'continue') {
        i++
        continue
      }
      const target = phases.findIndex((p, at) => at > i && p.name === output.phase)
      if (target < 0) return output
      for (const skipped of phases.slice(i + 1, target)) this.#note([...outer, skipped.name].join('/'), 'skipped')
      i = target
    }
    return proceed
  }

  async #group(group: PhaseGroup<S>, path: readonly string[], from?: Position): Promise<PhaseOutput> {
    const name = path.join('/')
    if (from === undefined && group.when?.(this.#host.context(name)) === false) {
      this.#note(name, 'skipped')
      return proceed
    }
    try {
      const output = await this.#sequence(group.phases, path, from)
      await group.onSuccess?.(this.#host.context(name))
      return output
    } catch (err) {
      if (!this.#resting(err)) await this.#failed(group, name, toError(err))
      throw err
    }
  }

  async #phase(phase: Phase<S>, path: readonly string[], from?: Position): Promise<PhaseOutput> {
    const host = this.#host
    const name = path.join('/')
    const recovery = phase.recovery ?? 'retry-from-checkpoint'
    const inside = from?.entered === true
    if (!inside) {
      if (phase.when?.(host.context(name)) === false) {
        this.#note(name, 'skipped')
        return proceed
      }
      await host.begin({ path, entered: false }, false)
      host.signal.throwIfAborted()
    }
    if (inside && this.#crashed && recovery === 'skip') {
      return this.#skip(name, new SpacedriveError('JOB_INTERRUPTED', 'the program ended in this phase'))
    }
    if (inside && recovery === 'restart-phase') host.restore('phase-start')
    const maxAttempts = phase.maxAttempts ?? (recovery === 'restart-phase' ? 2 : 1)
    const started = this.#start(name)
    for (let attempt = 1; ; attempt++) {
      try {
        if (inside && this.#crashed && recovery === 'abort') {
          throw new SpacedriveError(
            'JOB_INTERRUPTED',
            `the program ended in the phase ${name}, which cannot be resumed`
          )
        }
        if (!inside && attempt === 1) await host.begin({ path, entered: true }, recovery === 'restart-phase')
        const ctx = host.context(name)
        const output = (await phase.execute(ctx)) ?? proceed
        await phase.onSuccess?.(ctx)
        this.#end(started, 'completed')
        return output
      } catch (err) {
        if (host.signal.aborted) {
          const stop = host.signal.reason as JobInterrupt
          this.#end(started, stop.stop === 'cancelled' ? 'cancelled' : 'paused')
          if (stop.stop === 'cancelled') await this.#failed(phase, name, stop)
          throw stop
        }
        if (err instanceof NonFatalError) {
          host.problem({ path: err.path, code: err.code, message: err.message })
          this.#end(started, 'failed', err)
          return proceed
        }
        const error = toError(err)
        if (attempt < maxAttempts && recovery !== 'abort' && recovery !== 'skip') {
          host.log('error', `attempt ${attempt} of ${maxAttempts} failed: ${error.message}`, name)
          host.restore(recovery === 'restart-phase' ? 'phase-start' : 'checkpoint')
          continue
        }
        await this.#failed(phase, name, error)
        if (recovery === 'skip') {
          this.history.splice(this.history.indexOf(started), 1)
          return this.#skip(name, error)
        }
        this.#end(started, 'failed', error)
        throw error
      }
    }
  }

  /** A roll-back that fails itself is logged: the error that led to it is the one to be told. */
  async #failed(phase: AnyPhase<S>, name: string, error: Error): Promise<void> {
    if (phase.onFailure === undefined) return
    try {
      await phase.onFailure(this.#host.context(name, true), error)
    } catch (err) {
      this.#host.log('error', `could not roll back: ${toError(err).message}`, name)
    }
  }

  #resting(err: unknown): boolean {
    return err instanceof JobInterrupt && err.stop !== 'cancelled'
  }

  #skip(name: string, error: Error): PhaseOutput {
    const { code = 'JOB_FAILED' } = error as { code?: string }
    this.#host.problem({ path: '', code, message: `${name} was skipped: ${error.message}` })
    this.#end(this.#start(name), 'skipped', error)
    return proceed
  }

  #note(phase: string, status: PhaseStatus): void {
    this.#end(this.#start(phase), status)
  }

  #start(phase: string): PhaseExecution {
    const entry: PhaseExecution = { phase, startedAt: this.#host.nowMs(), endedAt: null, status: 'running' }
    this.history.push(entry)
    if (this.history.length > MAX_HISTORY) this.history.shift()
    return entry
  }

  #end(entry: PhaseExecution, status: PhaseStatus, error?: Error): void {
    const at = this.history.indexOf(entry)
    if (at < 0) return
    const { code = 'JOB_FAILED' } = (error ?? {}) as { code?: string }
    const ended: PhaseExecution = { ...entry, endedAt: this.#host.nowMs(), status }
    this.history[at] = error === undefined ? ended : { ...ended, error: { code, message: error.message } }
  }
}

function unknownPhase(name: string): SpacedriveError {
  return fatal(`there is no later phase ${name} to skip to`, { code: 'PHASE_UNKNOWN' })
}

/** False when the phases no longer hold the place (another version of the program): the job begins anew. */
export function holdsPosition<S>(phases: readonly AnyPhase<S>[], path: readonly string[]): boolean {
  let level: readonly AnyPhase<S>[] = phases
  for (const [i, name] of path.entries()) {
    const phase = level.find(p => p.name === name)
    if (phase === undefined || isGroup(phase) === (i === path.length - 1)) return false
    level = isGroup(phase) ? phase.phases : []
  }
  return path.length > 0
}
