import type { PlainError } from '../../storage/base/index.js'

/** How a daemon was asked to start; crosses from the command line to the new process as JSON. */
export interface StartOptions {
  readonly dataDir: string
  /** Settings by key that win over environment and file: `{ "network.loopback": true }`. */
  readonly flags: Readonly<Record<string, unknown>>
  /** Holds the password of a sealed key; never the password itself. */
  readonly passwordFile?: string | undefined
  /** Every line of the log, whatever `log.level` says. */
  readonly verbose?: boolean | undefined
  /** A lost database is made anew. Holds for this start alone. */
  readonly newDatabase?: boolean | undefined
}

/** What the starting command is told by the new process. */
export type StartReport = { ready: { pid: number; socket: string } } | { error: PlainError }
