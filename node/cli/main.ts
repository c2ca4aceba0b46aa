#!/usr/bin/env node
import '../shim.js'
import { displayText } from '../../storage/base/index.js'
import { exactArgv } from './argv.js'
import { EXIT } from './exit-codes.js'
import { likelyLocal } from './first-words.js'
import { localCommands } from './local/index.js'
import {
  buildProgram,
  type CommanderError,
  globalsOf,
  helpFor,
  isHelp,
  knowsWords,
  type ProgramEntry
} from './program.js'
import { runLocalCommand, runOperationCommand } from './run.js'

// Somebody who closed the pipe (`| head`) has what they wanted.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (err: NodeJS.ErrnoException) => {
    process.exit(err.code === 'EPIPE' ? (process.exitCode ?? EXIT.done) : EXIT.failed)
  })
}

const argv = exactArgv()
const entries: ProgramEntry[] = localCommands.map(command => ({
  ...command,
  run: (globals, typed) => runLocalCommand(command, globals, typed)
}))
// The operations bring zod with them; starting a daemon does not wait for that.
if (!likelyLocal(argv, localCommands)) {
  const { operations } = await import('../operations/index.js')
  for (const operation of operations as unknown as readonly import('../operations/operation.js').Operation[]) {
    const { command, summary } = operation
    if (command === undefined) continue
    entries.push({
      ...command,
      summary,
      run: (globals, typed) => runOperationCommand(operation, globals, typed)
    })
  }
}

let complaint = ''
const program = buildProgram(entries, {
  out: text => void process.stdout.write(text),
  err: text => {
    complaint += text
  }
})
if (argv.length === 0) {
  program.outputHelp()
} else {
  try {
    // For `spacedrive stort --help` commander would show the help of the level above and call that a success.
    const words = knowsWords(program, argv) ? argv : argv.filter(word => word !== '--help' && word !== '-h')
    await program.parseAsync(words, { from: 'user' })
  } catch (err) {
    if (!(err instanceof Error) || !('exitCode' in err)) throw err
    if (isHelp(err)) process.exitCode = EXIT.done
    else usage(err as CommanderError)
  }
}

/** Wrong usage: commander's text, on standard error, or as an error object with `--json`. */
function usage(err: CommanderError): void {
  process.exitCode = EXIT.usage
  // A group without a command: its help, as commander wrote it.
  const text = (complaint.trim() || err.message).split('\n').map(displayText).join('\n')
  const json = globalsOf(program).json || argv.includes('--json')
  const message = text.replace(/^error: /, '')
  const hint = complaint.startsWith('error:') ? `\`${helpFor(program, argv)}\` shows how it is used.` : undefined
  if (json) process.stdout.write(`${JSON.stringify({ error: { code: 'USAGE', message, hint } })}\n`)
  else process.stderr.write(hint === undefined ? `${text}\n` : `${text}\n  ${hint}\n`)
}
