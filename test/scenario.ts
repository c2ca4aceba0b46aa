/**
 * Several devices as several processes, after the seed's testing guide: one spec file holds each device's role and the
 * orchestration. The file is loaded twice: by mocha, where `scenario` registers a test that orchestrates, and by each
 * role's process (TEST_ROLE and TEST_DATA_DIR set), where it runs that role alone. They coordinate through small files in
 * a shared folder; every wait has a deadline; the error of a test that fails ends with what the roles have printed.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, renameSync, watch, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { tempDir } from './temp.js'
import { WAIT_MS } from './waits.js'

/** Facts handed from process to process: JSON values by name, each written once and whole. */
export interface Board {
  readonly dir: string
  publish(name: string, value?: unknown): void
  /** The value as soon as somebody publishes it. @throws after `timeoutMs` (WAIT_MS) */
  expect<T = unknown>(name: string, timeoutMs?: number): Promise<T>
  has(name: string): boolean
}

export interface RoleContext {
  readonly role: string
  /** This role's own folder; the same one when it is started again. */
  readonly dataDir: string
  readonly board: Board
  /** Which start of this role it is: 0, then 1 after the first restart. */
  readonly attempt: number
}

export interface Started {
  readonly role: string
  readonly process: ChildProcess
  /** Resolves with code or signal when the process has ended. */
  readonly ended: Promise<number | NodeJS.Signals>
  kill(signal?: NodeJS.Signals): Promise<number | NodeJS.Signals>
}

export interface Orchestration {
  readonly board: Board
  readonly dir: string
  /** Starts a role's process; again after it ended. `prefix` runs it elsewhere (a network namespace). */
  start(role: string, options?: { prefix?: readonly string[]; env?: Record<string, string> }): Started
  /** Waits for roles to end by themselves with code 0. @throws as soon as one ends otherwise */
  finished(...started: Started[]): Promise<void>
}

export interface Scenario {
  roles: Record<string, (context: RoleContext) => Promise<void>>
  run(orchestration: Orchestration): Promise<void>
  timeoutMs?: number
}

const MAX_OUTPUT_LINES = 60
const MAX_LINE_LENGTH = 300
const ENTRY = fileURLToPath(new URL('./role-entry.js', import.meta.url))

/** Call it inside `describe` or at the top of the spec; `specUrl` is `import.meta.url`. */
export function scenario(specUrl: string, title: string, { roles, run, timeoutMs = WAIT_MS }: Scenario): void {
  if (process.env.TEST_ROLE !== undefined) {
    if (process.env.TEST_SCENARIO === title) void playRole(roles)
    return
  }
  it(title, async function () {
    this.timeout(timeoutMs + 10_000)
    const dir = tempDir('sd-scenario-')
    const output: string[] = []
    const children: Started[] = []
    const attempts = new Map<string, number>()
    const board = boardIn(dir.path)
    const start: Orchestration['start'] = (role, { prefix = [], env = {} } = {}) => {
      const attempt = attempts.get(role) ?? 0
      attempts.set(role, attempt + 1)
      const command = [...prefix, process.execPath, '--enable-source-maps', ENTRY, fileURLToPath(specUrl)]
      const child = spawn(command[0]!, command.slice(1), {
        env: {
          ...process.env,
          ...env,
          TEST_SCENARIO: title,
          TEST_ROLE: role,
          TEST_ATTEMPT: String(attempt),
          TEST_DATA_DIR: join(dir.path, role),
          TEST_BOARD: dir.path
        },
        stdio: ['ignore', 'pipe', 'pipe']
      })
      for (const pipe of [child.stdout, child.stderr]) {
        pipe.setEncoding('utf8')
        pipe.on('data', (text: string) =>
          output.push(
            ...text
              .trimEnd()
              .split('\n')
              .map(line => `[${role}#${attempt}] ${line}`)
          )
        )
      }
      const ended = new Promise<number | NodeJS.Signals>(resolve =>
        child.once('close', (code, signal) => resolve(signal ?? code ?? -1))
      )
      const started: Started = {
        role,
        process: child,
        ended,
        kill(signal = 'SIGKILL') {
          if (child.exitCode === null && child.signalCode === null) child.kill(signal)
          return ended
        }
      }
      children.push(started)
      return started
    }
    const finished: Orchestration['finished'] = async (...started) => {
      const ends = started.map(async ({ role, ended }) => {
        const outcome = await ended
        if (outcome !== 0) throw new Error(`${role} ended with ${outcome}`)
      })
      await Promise.all(ends)
    }
    let timer: NodeJS.Timeout | undefined
    try {
      await Promise.race([
        run({ board, dir: dir.path, start, finished }),
        new Promise<never>((_resolve, reject) => {
          timer = setTimeout(() => reject(new Error(`the scenario took longer than ${timeoutMs} ms`)), timeoutMs)
        })
      ])
    } catch (err) {
      throw withOutput(err, output)
    } finally {
      clearTimeout(timer)
      await Promise.all(children.map(c => c.kill('SIGKILL')))
      dir.clean()
    }
  })
}

/** With the error itself it comes at the end of the report, which is all that is seen of a long run. */
function withOutput(err: unknown, output: readonly string[]): unknown {
  if (!(err instanceof Error)) return err
  const lines = output.slice(-MAX_OUTPUT_LINES).map(line => line.slice(0, MAX_LINE_LENGTH))
  const { message, stack = '' } = err
  err.message = [message, ...(lines.length > 0 ? lines : ['(the roles have printed nothing)'])].join('\n')
  err.stack = stack.replace(message, () => err.message)
  return err
}

async function playRole(roles: Scenario['roles']): Promise<void> {
  const role = process.env.TEST_ROLE!
  const dataDir = process.env.TEST_DATA_DIR!
  mkdirSync(dataDir, { recursive: true })
  try {
    const play = roles[role]
    if (play === undefined) throw new Error(`this scenario has no role ${role}`)
    await play({
      role,
      dataDir,
      board: boardIn(process.env.TEST_BOARD!),
      attempt: Number(process.env.TEST_ATTEMPT ?? 0)
    })
    process.exit(0)
  } catch (err) {
    console.error(err)
    process.exit(1)
  }
}

function boardIn(dir: string): Board {
  const file = (name: string): string => join(dir, `${name}.fact`)
  return {
    dir,
    publish(name, value = null) {
      writeFileSync(`${file(name)}.new`, JSON.stringify(value))
      renameSync(`${file(name)}.new`, file(name))
    },
    has: name => existsSync(file(name)),
    expect(name, timeoutMs = WAIT_MS) {
      return new Promise((resolve, reject) => {
        const done = (): void => {
          clearTimeout(timer)
          watcher.close()
        }
        const look = (): void => {
          if (!existsSync(file(name))) return
          done()
          resolve(JSON.parse(readFileSync(file(name), 'utf8')) as never)
        }
        const watcher = watch(dir, look)
        const timer = setTimeout(() => {
          done()
          reject(new Error(`nobody published "${name}" within ${timeoutMs} ms`))
        }, timeoutMs)
        look()
      })
    }
  }
}
