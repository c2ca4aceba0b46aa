/**
 * The command against a real daemon of its own, in a temporary folder:
 *
 *   const alice = testInstance('alice')
 *   after(() => alice.clean())
 *   await alice.ok('start', '--enable-networking', '--loopback')
 *   const paired = await alice.listen('device:paired')          // listens from here on
 *   const { words } = await alice.json<{ words: string }>('network', 'pair', 'generate', '--no-wait')
 *   const event = await paired.next(e => e.name === 'bob')
 *
 * `clean` ends whatever of it still runs and removes the folder; it may be called when nothing was started.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Client, daemonClient } from '../node/client/index.js'
import { findPlace, logFile } from '../node/instance/index.js'
import {
  type AbsPath,
  type AnyEvent,
  deadline,
  type EventName,
  type EventOf,
  packedUrl
} from '../storage/base/index.js'
import { tempDir } from './temp.js'
import { WAIT_MS } from './waits.js'

/** The program as it is installed: packed. */
export const MAIN = fileURLToPath(packedUrl('node/cli/main.js'))
/** DESIGN 11: the daemon is not running. Where a test did not stop it, its log tells what did. */
const EXIT_NOT_RUNNING = 5
const SHOWN_LINES = 12
/** Of /proc/PID/stat, counted from the state (proc(5): field 20). */
const THREADS_FIELD = 17

export interface CliResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  input?: string | Uint8Array
  env?: NodeJS.ProcessEnv
  cwd?: string
}

export interface Running {
  readonly child: ChildProcessWithoutNullStreams
  readonly ended: Promise<CliResult>
  /** Resolves with the first line of standard output that fits; rejects when the command ends without one. */
  line(fits: RegExp | ((line: string) => boolean)): Promise<string>
}

export interface TestInstance {
  readonly dataDir: AbsPath
  readonly client: Client
  /** Runs to the end. */
  run(...args: (string | RunOptions)[]): Promise<CliResult>
  /** Runs and fails the test unless the exit code is 0; @returns standard output */
  ok(...args: (string | RunOptions)[]): Promise<string>
  /** Runs with `--json` and gives the last line, parsed; fails unless the exit code is 0. */
  json<T>(...args: (string | RunOptions)[]): Promise<T>
  /** What a command with `--json` would say, asked of the running daemon itself: without a process, which takes half a second. */
  ask<T>(operation: string, input?: object): Promise<T>
  /** Starts a command and lets it run. */
  begin(...args: (string | RunOptions)[]): Running
  /** Listens to events of the running daemon from now on. */
  listen<K extends EventName>(...types: K[]): Promise<Listening<EventOf<K>>>
  /** kill -9 of the daemon; resolves when it is gone. */
  kill(): Promise<void>
  clean(): Promise<void>
}

export interface Listening<E> {
  /** The next event that fits, of those that came since `listen` too; rejects after WAIT_MS. */
  next(fits?: (event: E) => boolean): Promise<E>
  close(): void
}

/** @param options.dataDir - instead of a fresh folder; it is not removed then @param options.main - instead of `MAIN` */
export function testInstance(
  name = 'default',
  options: { dataDir?: string; env?: NodeJS.ProcessEnv; main?: string } = {}
): TestInstance {
  const temp = options.dataDir === undefined ? tempDir('sd-cli-') : undefined
  const dataDir = (options.dataDir ?? join(temp!.path, name)) as AbsPath
  // The sockets lie in the data directory unless a test says otherwise; nothing of the caller's settings comes in.
  const { XDG_RUNTIME_DIR: _runtime, ...inherited } = process.env
  const clean = Object.fromEntries(Object.entries(inherited).filter(([key]) => !key.startsWith('SPACEDRIVE_')))
  const begun = new Set<ChildProcessWithoutNullStreams>()
  const listening = new Set<Listening<never>>()

  function begin(...args: (string | RunOptions)[]): Running {
    const words = args.filter(a => typeof a === 'string')
    const init = Object.assign({}, ...args.filter(a => typeof a !== 'string')) as RunOptions
    const child = spawn(process.execPath, [options.main ?? MAIN, '--data-dir', dataDir, ...words], {
      env: { ...clean, ...options.env, ...init.env },
      cwd: init.cwd ?? temp?.path ?? tmpdir()
    })
    begun.add(child)
    child.stdin.on('error', () => {})
    child.stdin.end(init.input ?? '')
    let stdout = ''
    let stderr = ''
    const watchers = new Set<() => void>()
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      stdout += part
      for (const look of [...watchers]) look()
    })
    child.stderr.setEncoding('utf8').on('data', (part: string) => {
      stderr += part
    })
    const timer = setTimeout(() => child.kill('SIGKILL'), WAIT_MS)
    const ended = new Promise<CliResult>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code, signal) => {
        clearTimeout(timer)
        begun.delete(child)
        if (signal === 'SIGKILL') stderr += `\n(killed: ${words.join(' ')})`
        resolve({ code: code ?? -1, stdout, stderr })
      })
    })
    return {
      child,
      ended,
      line(fits) {
        const test = typeof fits === 'function' ? fits : (line: string) => fits.test(line)
        return new Promise((resolve, reject) => {
          const look = (): void => {
            const found = stdout.split('\n').slice(0, -1).find(test)
            if (found === undefined) return
            watchers.delete(look)
            resolve(found)
          }
          watchers.add(look)
          look()
          ended.then(r => {
            look()
            reject(new Error(`${words.join(' ')} ended with ${r.code} before such a line:\n${r.stdout}${r.stderr}`))
          }, reject)
        })
      }
    }
  }

  const run = (...args: (string | RunOptions)[]): Promise<CliResult> => begin(...args).ended

  async function ok(...args: (string | RunOptions)[]): Promise<string> {
    const result = await run(...args)
    if (result.code === 0) return result.stdout
    const why = result.code === EXIT_NOT_RUNNING ? `\nits log ends with:\n${lastOf(logFile(dataDir))}` : ''
    throw new Error(`${args.join(' ')} ended with ${result.code}:\n${result.stdout}${result.stderr}${why}`)
  }

  const client = daemonClient(dataDir)

  async function kill(): Promise<void> {
    const pid = findPlace(dataDir)?.pid
    if (pid === undefined || !(await isOurs(client, pid))) return
    process.kill(pid, 'SIGKILL')
    await processEnded(pid)
  }

  return {
    dataDir,
    client,
    run,
    ok,
    begin,
    async json<T>(...args: (string | RunOptions)[]) {
      const lines = (await ok('--json', ...args)).trimEnd().split('\n')
      return JSON.parse(lines.at(-1)!) as T
    },
    ask: async <T>(operation: string, input: object = {}) => (await client.call(operation, input)) as T,
    async listen(...types) {
      const made = await listen(client, types)
      listening.add(made as Listening<never>)
      return made as never
    },
    kill,
    async clean() {
      for (const one of listening) one.close()
      for (const child of begun) child.kill('SIGKILL')
      const pid = findPlace(dataDir)?.pid
      if (pid !== undefined && (await isOurs(client, pid))) {
        await client.call('system.stop', {}).catch(() => kill())
        await processEnded(pid)
      }
      temp?.clean()
    }
  }
}

/** Pids are used again: only what the daemon says of itself is believed. */
async function isOurs(client: Client, pid: number): Promise<boolean> {
  const status = (await client.call('system.status', {}).catch(() => undefined)) as { pid?: number } | undefined
  return status?.pid === pid
}

/** A daemon is nobody's child here, so there is no event for its end. */
export async function processEnded(pid: number): Promise<void> {
  while (isAlive(pid)) await new Promise(resolve => setTimeout(resolve, 20))
}

/**
 * What has ended keeps its number until process 1 has looked at it, which may take a second; some never do. It has let go of
 * its files and locks when no thread is left beside the first.
 */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    if (process.platform !== 'linux') return true
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ') // `PID (any name) STATE ...`
    return fields[0] !== 'Z' || fields[THREADS_FIELD] !== '1'
  } catch {
    return false
  }
}

async function listen<K extends EventName>(client: Client, types: readonly K[]): Promise<Listening<EventOf<K>>> {
  const stop = new AbortController()
  const stream = await client.events(types, { signal: stop.signal })
  const seen: AnyEvent[] = []
  const wake = new Set<() => void>()
  const limits = new Set<ReturnType<typeof deadline>>()
  void (async () => {
    for await (const event of stream) {
      seen.push(event)
      for (const look of [...wake]) look()
    }
  })().catch(() => {})
  return {
    async next(fits = () => true) {
      const limit = deadline(WAIT_MS, `waiting for ${types.join(', ')}`)
      limits.add(limit)
      try {
        return await new Promise<EventOf<K>>((resolve, reject) => {
          const look = (): void => {
            const at = seen.findIndex(e => fits(e as EventOf<K>))
            if (at < 0) return
            wake.delete(look)
            resolve(seen.splice(at, 1)[0] as EventOf<K>)
          }
          limit.signal.addEventListener('abort', () => reject(limit.signal.reason))
          wake.add(look)
          look()
        })
      } finally {
        limits.delete(limit)
        limit.clear()
      }
    },
    close() {
      stop.abort()
      // Who still waits for one waits for ever: no timer keeps the process for it.
      for (const limit of limits) limit.clear()
    }
  }
}

function lastOf(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n').slice(-SHOWN_LINES).join('\n') : '(no log)'
}
