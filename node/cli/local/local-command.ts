import type { AbsPath } from '../../../storage/base/index.js'
import type { Terminal, Typed } from '../../operations/operation.js'

/** A command that no daemon answers: it starts one, or looks for them. */
export interface LocalCommand {
  readonly path: string
  readonly aliases?: readonly string[]
  readonly summary: string
  readonly arguments?: readonly (readonly [syntax: string, meaning: string])[]
  readonly options?: readonly (readonly [flags: string, meaning: string])[]
  readonly examples: readonly string[]
  /** @returns the answer, which `--json` prints as it is */
  run(context: LocalContext, typed: Typed): Promise<unknown>
  /** What a person sees of the answer. */
  render?(answer: never, terminal: Terminal): void
  /** 0 unless said otherwise. */
  exitCode?(answer: never): number
}

export interface LocalContext {
  readonly globals: Globals
  readonly dataDir: AbsPath
  readonly terminal: Terminal
  readonly signal: AbortSignal
}

export interface Globals {
  readonly instance?: string | undefined
  readonly dataDir?: string | undefined
  readonly json: boolean
  readonly verbose: boolean
}
