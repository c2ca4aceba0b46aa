/**
 * The one error class. Callers switch on `code`, never on the text. Each folder adds its own union of codes and, where
 * it helps, a thin constructor function; exit codes and wire codes are mapped in one file each (node/cli, protocols/wire).
 *
 * The text says what could not be done, to what, then the cause; `hint` says what to try.
 */
export interface ErrorInit extends ErrorOptions {
  /** What the person can do about it, one sentence. */
  hint?: string
  /** Plain values for programs: ids, figures, paths in display form. Never a secret. */
  details?: Record<string, unknown>
}

export class SpacedriveError extends Error {
  override readonly name = 'SpacedriveError'
  readonly code: string
  readonly hint: string | undefined
  readonly details: Record<string, unknown> | undefined

  constructor(code: string, message: string, init: ErrorInit = {}) {
    super(message, 'cause' in init ? { cause: init.cause } : undefined)
    this.code = code
    this.hint = init.hint
    this.details = init.details
  }
}

/** An error as it crosses a thread or a socket: by code, without stack or cause. */
export interface PlainError {
  code: string
  message: string
  hint?: string
  details?: Record<string, unknown>
}

/** One path that could not be handled: part of a result, never thrown. `path` is in display form. */
export interface Problem {
  readonly path: string
  readonly code: string
  readonly message: string
}

export function toError(value: unknown): Error {
  return value instanceof Error ? value : new Error(String(value))
}

/** The code of anything thrown: ours, Node's (`ENOENT`), or `INTERNAL`. */
export function errorCode(value: unknown): string {
  const code = (value as { code?: unknown } | null)?.code
  return typeof code === 'string' ? code : isAbort(value) ? 'ABORTED' : 'INTERNAL'
}

export function hasCode(value: unknown, ...codes: string[]): boolean {
  return codes.includes(errorCode(value))
}

/** True for what `signal.throwIfAborted()` throws: it is passed on as it is and never logged as an error. */
export function isAbort(value: unknown): boolean {
  return value instanceof Error && (value.name === 'AbortError' || value.name === 'TimeoutError')
}

export function toPlainError(value: unknown): PlainError {
  const error = toError(value)
  const plain: PlainError = { code: errorCode(value), message: error.message }
  // By its name: a thread may hold the class twice, packed and as a test's file of tasks brings it.
  if (error.name === 'SpacedriveError') {
    const { hint, details } = error as SpacedriveError
    if (hint !== undefined) plain.hint = hint
    if (details !== undefined) plain.details = details
  }
  return plain
}

export function fromPlainError(plain: PlainError): SpacedriveError {
  const init: ErrorInit = {}
  if (plain.hint !== undefined) init.hint = plain.hint
  if (plain.details !== undefined) init.details = plain.details
  return new SpacedriveError(plain.code, plain.message, init)
}
