import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { type AbsPath, SpacedriveError } from '../../storage/base/index.js'
import type { Terminal } from '../operations/operation.js'
import { exactCwd } from './argv.js'
import { dropSpooled, spool } from './spool.js'
import { cut, paint, style, width } from './style.js'

/** Without a terminal a status is a line now and then, for a log that somebody reads later. */
const PLAIN_STATUS_EVERY_MS = 5_000
const DEFAULT_COLUMNS = 80
const DEFAULT_ROWS = 24
/** What is dropped from standard input is read whole here; larger things are files. */
export const MAX_STDIN_BYTES = 64 * 1024 * 1024

export interface TerminalInit {
  json: boolean
  /** Where standard input is spooled. */
  spoolDir?: () => AbsPath
  stdin?: NodeJS.ReadStream
  stdout?: NodeJS.WriteStream
  stderr?: NodeJS.WriteStream
  env?: NodeJS.ProcessEnv
  /** How often a status is a line where there is no terminal. */
  statusEveryMs?: number
}

/** What the command line itself does with it: `end` gives up an open question and takes a status line away. */
export interface OwnTerminal extends Terminal {
  end(): void
  /** Removes what was spooled: the command failed, and the daemon has not taken it. */
  dropSpooled(): Promise<void>
}

export function createTerminal(init: TerminalInit): OwnTerminal {
  const { json, stdin = process.stdin, stdout = process.stdout, stderr = process.stderr, env = process.env } = init
  const { statusEveryMs = PLAIN_STATUS_EVERY_MS } = init
  const mayColor = (stream: NodeJS.WriteStream): boolean =>
    stream.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb'
  const interactive = stdin.isTTY === true && stderr.isTTY === true && !json
  let statusShown = false
  let lastPlainMs = 0
  let lastPlain = ''
  let held = NOTHING_HELD
  let asking: AbortController | undefined
  let spooled: AbsPath | undefined

  let blockLines = 0
  const clearStatus = (): void => {
    held.clear()
    if (statusShown) stderr.write('\r\u001b[2K')
    statusShown = false
    if (blockLines > 0) stderr.write(`\u001b[${blockLines}A\r\u001b[J`)
    blockLines = 0
  }
  /**
   * Without a terminal: lines that differ from the last ones, and not more often than now and then. What came too early is said
   * when its time has come, if nothing newer was: it may be the last word for long, such as on whom the command waits for.
   */
  const plainNowAndThen = (lines: readonly string[]): void => {
    held.clear()
    const text = lines.map(line => `${paint(line, false)}\n`).join('')
    if (text === lastPlain) return
    const waitMs = lastPlain === '' ? 0 : lastPlainMs + statusEveryMs - performance.now()
    const say = (): void => {
      lastPlainMs = performance.now()
      lastPlain = text
      stderr.write(text)
    }
    if (waitMs <= 0) say()
    else held = heldBack(say, waitMs)
  }

  async function ask(question: string, { hidden = false } = {}): Promise<string> {
    if (!interactive) {
      throw new SpacedriveError('USAGE', `cannot ask "${question.trim()}": nobody is there to answer`, {
        hint: 'Give it as an option, or run the command on a terminal.'
      })
    }
    clearStatus()
    const prompt = `${paint(question, mayColor(stderr))} `
    const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
    const reader = createInterface({ input: stdin, output: hidden ? silent : stderr, terminal: true })
    // From here on the terminal shows nothing by itself: who types a password as soon as it is asked for is not seen either.
    if (hidden) stderr.write(prompt)
    const stop = new AbortController()
    asking = stop
    reader.once('SIGINT', () => {
      stop.abort()
      process.emit('SIGINT')
    })
    reader.once('close', () => stop.abort())
    try {
      // What stands on the line and is not its own prompt readline takes away.
      return await reader.question(hidden ? '' : prompt, { signal: stop.signal })
    } catch {
      throw new SpacedriveError('INTERRUPTED', 'no answer was given')
    } finally {
      asking = undefined
      reader.close()
      if (hidden) stderr.write('\n')
    }
  }

  return {
    interactive,
    json,
    cwd: exactCwd(),
    line(text = '') {
      clearStatus()
      stdout.write(`${paint(text, mayColor(stdout))}\n`)
    },
    note(text) {
      clearStatus()
      stderr.write(`${paint(text, mayColor(stderr))}\n`)
    },
    table(rows) {
      clearStatus()
      for (const line of layOut(rows)) stdout.write(`${paint(line, mayColor(stdout))}\n`)
    },
    status(text) {
      if (text === '') {
        clearStatus()
        return
      }
      if (stderr.isTTY) {
        stderr.write(`\r\u001b[2K${paint(cut(text, (stderr.columns || DEFAULT_COLUMNS) - 1), mayColor(stderr))}`)
        statusShown = true
        return
      }
      plainNowAndThen([text])
    },
    block(lines) {
      if (!stderr.isTTY) {
        plainNowAndThen(lines)
        return
      }
      clearStatus()
      // A terminal that does not know its size says 0.
      const fitting = firstOf(lines, Math.max(1, (stderr.rows || DEFAULT_ROWS) - 1))
      const columns = (stderr.columns || DEFAULT_COLUMNS) - 1
      for (const line of fitting) stderr.write(`${paint(cut(line, columns), mayColor(stderr))}\n`)
      blockLines = fitting.length
    },
    raw(bytes) {
      if (stdout.isTTY) {
        throw new SpacedriveError('USAGE', 'raw bytes are not written to a terminal', {
          hint: 'Send the output into a file or another program.'
        })
      }
      stdout.write(bytes)
    },
    ask,
    async confirm(question) {
      return /^y(es)?$/i.test((await ask(`${question} [y/N]`)).trim())
    },
    async readStdin() {
      const parts: Buffer[] = []
      let size = 0
      for await (const part of stdin as AsyncIterable<Buffer | string>) {
        const bytes = Buffer.from(part as string)
        size += bytes.length
        if (size > MAX_STDIN_BYTES) {
          throw new SpacedriveError('TOO_LARGE', `standard input holds more than ${MAX_STDIN_BYTES} bytes`, {
            hint: 'Put it into a file.'
          })
        }
        parts.push(bytes)
      }
      return Buffer.concat(parts)
    },
    async spoolStdin() {
      if (init.spoolDir === undefined) throw new SpacedriveError('USAGE', 'standard input cannot be sent from here')
      spooled = await spool(stdin, init.spoolDir())
      return spooled
    },
    bold: style.bold,
    dim: style.dim,
    color: style.color,
    async dropSpooled() {
      if (spooled !== undefined) await dropSpooled(spooled)
    },
    end() {
      asking?.abort()
      clearStatus()
    }
  }
}

const NOTHING_HELD = { clear(): void {} }

/** Said later, unless the command is over by then: nothing waits for it. */
function heldBack(say: () => void, waitMs: number): typeof NOTHING_HELD {
  const timer = setTimeout(say, waitMs).unref()
  return { clear: () => clearTimeout(timer) }
}

/** The first of too many lines, with how many there are besides. */
function firstOf(lines: readonly string[], rows: number): readonly string[] {
  return lines.length <= rows ? lines : [...lines.slice(0, rows - 1), `and ${lines.length - rows + 1} more lines`]
}

/** Aligned columns with a heading; numbers stand to the right. */
export function layOut(rows: readonly Readonly<Record<string, string | number>>[]): string[] {
  if (rows.length === 0) return []
  const columns = [...new Set(rows.flatMap(row => Object.keys(row)))]
  const widths = columns.map(c => Math.max(width(c), ...rows.map(row => width(String(row[c] ?? '')))))
  const lay = (cells: readonly (string | number)[], right: boolean): string =>
    cells
      .map((cell, i) => {
        const text = String(cell)
        const gap = ' '.repeat(Math.max(0, widths[i]! - width(text)))
        return right && typeof cell === 'number' ? gap + text : text + gap
      })
      .join('  ')
      .trimEnd()
  return [
    style.bold(
      lay(
        columns.map(c => c.toUpperCase()),
        false
      )
    ),
    ...rows.map(row =>
      lay(
        columns.map(c => row[c] ?? ''),
        true
      )
    )
  ]
}
