/**
 * A command on a terminal: a pseudo terminal made by `script` (bsdutils), the keys of a person, and what they see.
 *
 *   const seen = onTerminal(instance, ['network', 'init', '--password'])
 *   await seen.shows('Password:')
 *   seen.type('secret\r')
 *   assert.equal((await seen.ended).code, 0)
 */
import { spawn } from 'node:child_process'
import { MAIN, type TestInstance } from './cli.js'
import { WAIT_MS } from './waits.js'

/** Arguments of `script` for a line of shell on a terminal of its own; its exit code is the line's. */
export function scriptArguments(line: string): string[] {
  // That of BSD and macOS has no option for it: what follows the file is the command.
  return process.platform === 'linux' ? ['-qec', line, '/dev/null'] : ['-q', '/dev/null', '/bin/sh', '-c', line]
}

export interface OnTerminal {
  /** What stands on the screen and above it: what was overwritten or taken away does not. */
  readonly text: string
  /** All that came so far, as it came. */
  readonly raw: string
  /** Keys: `\r` is return, `\x03` Ctrl-C. */
  type(keys: string): void
  /** The window is closed. */
  hangUp(): void
  /** Resolves when it is to be seen; rejects when the command ends without it, or after 50 s. */
  shows(what: string | RegExp): Promise<void>
  readonly ended: Promise<{ code: number; text: string }>
}

export function onTerminal(instance: TestInstance, words: readonly string[]): OnTerminal {
  const quoted = [process.execPath, MAIN, '--data-dir', instance.dataDir, ...words].map(
    word => `'${word.replaceAll("'", "'\\''")}'`
  )
  const env = { ...process.env, TERM: 'xterm', SHELL: '/bin/sh' }
  // Wide and high enough that no line is cut: a code is longer than 80 letters.
  const child = spawn('script', scriptArguments(`stty cols 200 rows 60; exec ${quoted.join(' ')}`), {
    env: Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('SPACEDRIVE_')))
  })
  let raw = ''
  const watchers = new Set<() => void>()
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    raw += part
    for (const look of [...watchers]) look()
  })
  child.stdin.on('error', () => {}) // it has ended
  const text = (): string => screen(raw)
  const ended = new Promise<{ code: number; text: string }>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', code => resolve({ code: code ?? -1, text: text() }))
  })
  return {
    get text() {
      return text()
    },
    get raw() {
      return raw
    },
    hangUp: () => void child.kill('SIGTERM'),
    type: keys => void child.stdin.write(keys),
    async shows(what) {
      const there = (): boolean => (typeof what === 'string' ? text().includes(what) : what.test(text()))
      await new Promise<void>((resolve, reject) => {
        const settle = (err?: Error): void => {
          clearTimeout(timer)
          watchers.delete(look)
          if (err === undefined) resolve()
          else reject(err)
        }
        const look = (): void => {
          if (there()) settle()
        }
        const fail = (why: string): void => settle(new Error(`${why} without showing ${what}; it showed:\n${text()}`))
        const timer = setTimeout(() => fail(`${WAIT_MS / 1000} s went by`), WAIT_MS)
        watchers.add(look)
        ended.then(({ code }) => (there() ? settle() : fail(`it ended with ${code}`)), settle)
        look()
      })
    },
    ended
  }
}

/** The lines that a terminal shows after these bytes: as much of one as the command line makes use of. */
function screen(bytes: string): string {
  const lines: string[][] = [[]]
  let row = 0
  let column = 0
  for (const [token, count, command] of bytes.matchAll(/\u001b\[\??(\d*)([A-Za-z])|[\s\S]/gu)) {
    const line = lines[row]!
    if (command === 'A') row = Math.max(0, row - Number(count || 1))
    else if (command === 'G') column = Number(count || 1) - 1
    else if (command === 'K') count === '2' ? line.splice(0) : line.splice(column)
    else if (command === 'J') {
      line.splice(column)
      lines.splice(row + 1)
    } else if (command !== undefined) continue
    else if (token === '\r') column = 0
    else if (token === '\n') {
      row += 1
      lines[row] ??= []
    } else if (token === '\b') column = Math.max(0, column - 1)
    else {
      while (line.length < column) line.push(' ')
      line[column++] = token
    }
  }
  return lines.map(line => line.join('')).join('\n')
}
