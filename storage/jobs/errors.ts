import { type ErrorInit, SpacedriveError } from '../base/index.js'

/**
 * Codes: JOB_FAILED (a phase gave up without a code of its own), JOB_UNKNOWN (no such job), JOB_AMBIGUOUS (an id prefix fits
 * several), JOB_KIND_UNKNOWN, JOB_INPUT, JOB_STATE (not possible in this state), JOB_INTERRUPTED (cut short and not to be
 * resumed), JOB_STATE_TOO_LARGE, PHASE_UNKNOWN (skip to a phase that does not follow).
 */
export type StopReason = 'paused' | 'cancelled' | 'stopping'

/** What `ctx.signal` is aborted with. Passed on as it is; never an error of the job. */
export class JobInterrupt extends Error {
  override readonly name = 'AbortError'
  readonly code = 'ABORTED'
  readonly stop: StopReason

  constructor(stop: StopReason) {
    super(
      stop === 'paused' ? 'the job was paused' : stop === 'cancelled' ? 'the job was cancelled' : 'the program ends'
    )
    this.stop = stop
  }
}

/** Stops the job: nothing it could still do makes sense. */
export function fatal(message: string, init: ErrorInit & { code?: string } = {}): SpacedriveError {
  return new SpacedriveError(init.code ?? 'JOB_FAILED', message, init)
}

/** Thrown by a phase that gives up while the job goes on with the next one; recorded as a problem. */
export class NonFatalError extends Error {
  override readonly name = 'NonFatalError'
  readonly code: string
  /** In display form; empty when it concerns no path. */
  readonly path: string

  constructor(code: string, message: string, options: { path?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause })
    this.code = code
    this.path = options.path ?? ''
  }
}

export function nonFatal(code: string, message: string, options?: { path?: string; cause?: unknown }): NonFatalError {
  return new NonFatalError(code, message, options)
}
