import {
  type AbsPath,
  errorCode,
  fromPlainError,
  linkSignals,
  SpacedriveError,
  toPlainError
} from '../../storage/base/index.js'
import { daemonClient, toJson } from '../client/index.js'
import { dataDirOf, spoolDirOf } from '../instance/index.js'
import type { CallOperation, Operation, Terminal, Typed } from '../operations/operation.js'
import { exactCwd } from './argv.js'
import { EXIT, exitCodeOf } from './exit-codes.js'
import type { Globals, LocalCommand } from './local/local-command.js'
import { ownHint } from './own-command.js'
import { createTerminal, type OwnTerminal } from './terminal.js'

interface RunContext {
  readonly dataDir: AbsPath
  readonly terminal: OwnTerminal
  readonly signal: AbortSignal
  /** What is said after Ctrl-C. */
  onInterrupt(words: () => string | undefined): void
}
type Run = (context: RunContext) => Promise<number>

/** Runs an operation's command: input here, the rest in the daemon. */
export async function runOperationCommand(operation: Operation, globals: Globals, typed: Typed): Promise<void> {
  const command = operation.command!
  await runCommand(globals, async ({ dataDir, terminal, signal, onInterrupt }) => {
    const input = await command.input(typed, terminal)
    const failed = new AbortController()
    const linked = linkSignals(signal, failed.signal)
    const call: CallOperation = (name, value) => daemonClient(dataDir).call(name, value, { signal: linked.signal })
    let last: unknown
    onInterrupt(() => command.left?.(last))
    const onEmit = (value: unknown): void => {
      last = value
      if (terminal.json) {
        if (value !== undefined && value !== null) writeJson(value)
        return
      }
      // A person who is asked in between: runs beside the operation, and what fails there ends the command.
      new Promise(resolve => resolve(command.progress?.(value, terminal, call))).catch(err => failed.abort(err))
    }
    try {
      const output = await callOrOffline(operation, dataDir, input, linked.signal, onEmit)
      terminal.status('')
      if (terminal.json) writeJson(output)
      else await command.render(output, terminal)
      return command.exitCode?.(output) ?? EXIT.done
    } catch (err) {
      await terminal.dropSpooled()
      throw err
    } finally {
      linked.clear()
      terminal.end()
    }
  })
}

async function callOrOffline(
  operation: Operation,
  dataDir: AbsPath,
  input: unknown,
  signal: AbortSignal,
  onEmit: (value: unknown) => void
): Promise<unknown> {
  try {
    return await daemonClient(dataDir).call(operation.name, input, { signal, onEmit })
  } catch (err) {
    if (errorCode(err) !== 'DAEMON_NOT_RUNNING' || operation.offline === undefined) throw err
    const { parseInput } = await import('../operations/index.js')
    return await operation.offline(dataDir, parseInput(operation.input, input, `the input of ${operation.name}`))
  }
}

/** Runs a command that no daemon answers. */
export async function runLocalCommand(command: LocalCommand, globals: Globals, typed: Typed): Promise<void> {
  await runCommand(globals, async ({ dataDir, terminal, signal }) => {
    const answer = await command.run({ globals, dataDir, terminal, signal }, typed)
    terminal.status('')
    if (terminal.json) {
      if (answer !== undefined) writeJson(answer)
    } else command.render?.(answer as never, terminal)
    return command.exitCode?.(answer as never) ?? EXIT.done
  })
}

/** Ctrl-C gives the command up: its request is closed, the daemon's operation sees that, and we end with 130. */
async function runCommand(globals: Globals, run: Run): Promise<void> {
  const interrupted = new AbortController()
  const onSignal = (): void => {
    if (interrupted.signal.aborted) process.exit(EXIT.interrupted)
    interrupted.abort(new SpacedriveError('INTERRUPTED', 'interrupted'))
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  let dataDir: AbsPath | undefined
  let left: () => string | undefined = () => undefined
  const terminal = createTerminal({ json: globals.json, spoolDir: () => spoolDirOf(dataDir!) })
  try {
    dataDir = dataDirOf({ dataDir: globals.dataDir, instance: globals.instance, cwd: exactCwd() })
    process.exitCode = await run({
      dataDir,
      terminal,
      signal: interrupted.signal,
      onInterrupt: words => (left = words)
    })
  } catch (err) {
    terminal.end()
    const hint = left()
    const given = new SpacedriveError('INTERRUPTED', 'interrupted', hint === undefined ? {} : { hint })
    showError(interrupted.signal.aborted ? given : err, globals, terminal)
  } finally {
    process.off('SIGINT', onSignal)
    process.off('SIGTERM', onSignal)
  }
}

/** With `--json` the error is the answer: `{"error":{...}}` on standard output; else text on standard error. */
export function showError(err: unknown, globals: Globals, terminal: Terminal): void {
  const plain = toPlainError(err)
  if (plain.code === 'DAEMON_NOT_RUNNING') plain.hint ??= 'Start it with `spacedrive start`.'
  if (plain.hint !== undefined) plain.hint = ownHint(plain.hint, globals)
  process.exitCode = exitCodeOf(plain.code)
  if (globals.json) {
    writeJson({ error: plain })
    return
  }
  if (plain.code === 'INTERRUPTED') {
    terminal.note('Interrupted.')
    if (plain.hint !== undefined) terminal.note(`  ${plain.hint}`)
    return
  }
  terminal.note(`${terminal.color('red', 'Error:')} ${plain.message}`)
  if (plain.hint !== undefined) terminal.note(`  ${plain.hint}`)
  if (globals.verbose) {
    terminal.note(`  Code: ${plain.code}`)
    if (plain.details !== undefined) terminal.note(`  Details: ${toJson(plain.details)}`)
    const stack = fromPlainError(plain) === err ? '' : ((err as Error).stack ?? '')
    if (plain.code === 'INTERNAL') for (const line of stack.split('\n').slice(1)) terminal.note(line)
  }
}

/** Control characters that JSON leaves as they are (bidirectional marks, U+2028) are escaped for terminals. */
function writeJson(value: unknown): void {
  const text = toJson(value).replace(
    /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g,
    c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`
  )
  process.stdout.write(`${text}\n`)
}
