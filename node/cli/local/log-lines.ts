import type { Terminal } from '../../operations/operation.js'

/** One line of the log for a person: time, level, part, message, the other fields. With `--json` the line as it is. */
export function showLog(line: string, terminal: Terminal, say: (text: string) => void): void {
  let entry: Record<string, unknown>
  try {
    entry = JSON.parse(line) as Record<string, unknown>
  } catch {
    say(line)
    return
  }
  const { time, level, part, msg, ...fields } = entry
  const name = String(level ?? '').padEnd(5)
  const colored =
    level === 'error' ? terminal.color('red', name) : level === 'warn' ? terminal.color('yellow', name) : name
  const rest = Object.entries(fields)
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ')
  const from = typeof part === 'string' ? `${terminal.dim(part)} ` : ''
  say(
    `${terminal.dim(String(time ?? ''))} ${colored} ${from}${String(msg ?? '')}${rest === '' ? '' : ` ${terminal.dim(rest)}`}`
  )
}

/** For a daemon in the foreground: its log on standard error, standard output stays free for answers. */
export function echoLog(line: string, terminal: Terminal): void {
  if (terminal.json) terminal.note(line.trimEnd())
  else showLog(line.trimEnd(), terminal, text => terminal.note(text))
}
