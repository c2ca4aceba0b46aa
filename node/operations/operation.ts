/**
 * One thing a person (or a program) can ask of a daemon. The array in `registry.ts` is the only list of them: the HTTP API
 * (`POST /v1/<name>`), the command line and its help, and `node.call()` all come from it.
 */
import type { z } from 'zod'
import type { AbsPath } from '../../storage/base/index.js'
import type { Peer } from '../compose.js'

export interface OperationContext {
  readonly peer: Peer
  /** Aborted when the caller goes away (Ctrl-C, a closed socket) or the daemon stops. */
  readonly signal: AbortSignal
  /** A plain value on the way to the result: progress for the command line, a line of its own with `--json`. */
  emit(value: unknown): void
}

export interface Operation<I = unknown, O = unknown, E = unknown> {
  /** Dotted, as in the URL: `network.pair.generate`. Letters, digits and dashes between the dots. */
  readonly name: string
  /** One line for help. */
  readonly summary: string
  /** Unknown fields are refused with the likely typo named; so it is a strict object. */
  readonly input: z.ZodType<I>
  run(context: OperationContext, input: I): Promise<O>
  /** What the command line does itself when no daemon runs (a setting in a file); without it that is DAEMON_NOT_RUNNING. */
  offline?(dataDir: AbsPath, input: I): Promise<O>
  /** How the command line offers it; left out where it is for programs only. */
  readonly command?: Command<I, O, E>
}

export interface Command<I, O, E = unknown> {
  /** Words after `spacedrive`: `network pair generate`. */
  readonly path: string
  /** Other words for the same thing: `daemon status` for `status`. */
  readonly aliases?: readonly string[]
  /** Commander syntax: `<device>`, `[path]`, `<paths...>`, each with its meaning. */
  readonly arguments?: readonly (readonly [syntax: string, meaning: string])[]
  /** Commander syntax: `--to <dir>`, each with its meaning. */
  readonly options?: readonly (readonly [flags: string, meaning: string])[]
  /** At least one whole command line. */
  readonly examples: readonly string[]
  /** Makes the operation's input of what was typed; on the client: relative paths are made absolute here, prompts asked. */
  input(typed: Typed, terminal: Terminal): I | Promise<I>
  /** What a person sees at the end. With `--json` the output itself is printed on one line instead. */
  render(output: O, terminal: Terminal): void | Promise<void>
  /**
   * Called for each emitted value; with `--json` the value is printed as a line instead (unless it is undefined there).
   * Where a person is asked in between it answers by `call` and returns a promise: that runs beside the operation, its
   * failure ends the command, and it is no longer waited for once the operation has ended.
   */
  progress?(value: E, terminal: Terminal, call: CallOperation): void | Promise<void>
  /** What goes on in the daemon after Ctrl-C, in words; left out where nothing does. @param last - what was emitted last */
  left?(last: E | undefined): string | undefined
  /** 0 unless said otherwise; 3 for done with conflicts or problems (node/cli/exit-codes.ts). */
  exitCode?(output: O): number
}

/** Another operation of the same daemon. @throws its error, by code */
export type CallOperation = (operation: string, input: unknown) => Promise<unknown>

export interface Typed {
  readonly arguments: readonly (string | readonly string[] | undefined)[]
  readonly options: Readonly<Record<string, string | boolean | readonly string[] | undefined>>
}

/** The person's end: node/cli makes it. All text given to it is escaped for the terminal except what is marked raw. */
export interface Terminal {
  readonly interactive: boolean
  readonly json: boolean
  readonly cwd: string
  /** One line on standard output. */
  line(text?: string): void
  /** One line on standard error: what is not the answer itself. */
  note(text: string): void
  /** Aligned columns with a heading. */
  table(rows: readonly Readonly<Record<string, string | number>>[]): void
  /** A line that replaces itself on a terminal, and plain lines now and then elsewhere. */
  status(text: string): void
  /** Lines that replace those of the call before on a terminal (cut to its size); elsewhere they are printed now and then. */
  block(lines: readonly string[]): void
  /** Bytes as they are on standard output; throws USAGE when that is a terminal. The only way around the escaping. */
  raw(bytes: Uint8Array): void
  /** Asks; throws USAGE when nobody is there to answer. */
  ask(question: string, options?: { hidden?: boolean }): Promise<string>
  confirm(question: string): Promise<boolean>
  readStdin(): Promise<Uint8Array>
  /** Standard input, of any size, in a private file that the daemon may read and then owns. */
  spoolStdin(): Promise<AbsPath>
  bold(text: string): string
  dim(text: string): string
  color(name: 'red' | 'green' | 'yellow' | 'cyan', text: string): string
}

/** Keeps the literal name and the types of input, output and emitted values together, for `node.call`. */
export function defineOperation<const N extends string, S extends z.ZodType, O, E = unknown>(
  operation: Defined<N, S, O, E>
): Defined<N, S, O, E> {
  return Object.freeze(operation)
}

export interface Defined<N extends string, S extends z.ZodType, O, E = unknown> {
  readonly name: N
  readonly summary: string
  readonly input: S
  run(context: OperationContext, input: z.output<S>): Promise<O>
  offline?(dataDir: AbsPath, input: z.output<S>): Promise<O>
  readonly command?: Command<z.input<S>, O, E>
}
