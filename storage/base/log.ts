/** Structured log: one line an event, plain fields, no secret ever in it. node/daemon hands in the real one (pino). */
export interface Logger {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
  /** A logger whose lines carry `part` (the folder that speaks: `pairing`, `transfer`). */
  child(part: string): Logger
}

export type LogFields = Record<string, unknown>

/** Says nothing: for tests and for programs that bring no log. */
export const silentLog: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLog
}
