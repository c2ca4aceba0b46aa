import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, constants, openSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  type AbsPath,
  displayPath,
  errorCode,
  fromPlainError,
  packedUrl,
  raceSignal,
  SpacedriveError
} from '../../../storage/base/index.js'
import { isRunning } from '../../client/index.js'
import type { StartOptions, StartReport } from '../../daemon/index.js'
import { ensureDataDir, ensureLogDir, findPlace, outputFile } from '../../instance/index.js'

/** A start takes half a second; migrating a large database may take long, and says so in its log. */
const START_MS = 120_000
/** Two `start` at the same moment: the second waits for the first to answer, which takes a busy machine a while. */
const OTHER_START_MS = 60_000
const OTHER_START_POLL_MS = 50

/**
 * V8's heap, sized for a process through which content passes. V8 counts the buffers of a transfer, which lie outside the
 * heap, as if the heap had grown: by default it marked the whole heap again for every 10 MiB of them, which took more
 * processor time than anything else of a transfer, and made turns of 50 ms. Below 64 MiB it need not (docs/decisions/051).
 * A young generation of half the default's size keeps what waits to be collected at 16 MiB, and takes 15 MiB off an idle daemon.
 * A heap is collected when it has twice what was in use after it was collected last, that of a thread as well; by default it may have
 * four times as much (docs/decisions/166).
 */
export const HEAP_FLAGS = ['--initial-old-space-size=64', '--max-semi-space-size=8', '--heap-growing-percent=100']

/**
 * How the C library keeps memory: by default it gives it back to the system after each packet and takes it again for the next,
 * which took as much processor time as the ciphers (docs/decisions/052). Other C libraries do not look at this.
 */
const MALLOC = {
  MALLOC_TRIM_THRESHOLD_: String(64 * 1024 * 1024),
  MALLOC_MMAP_THRESHOLD_: String(32 * 1024 * 1024),
  MALLOC_ARENA_MAX: '2'
}

/** What was said by whoever starts it wins. */
export const daemonEnvironment = (): NodeJS.ProcessEnv => ({ ...MALLOC, ...process.env })

export interface StartAnswer {
  /** False when it was running already. */
  readonly started: boolean
  readonly pid: number
  readonly dataDir: string
  readonly socket: string
}

/**
 * Starts a daemon of its own session, so that neither Ctrl-C nor the end of this terminal reaches it, and waits for its report.
 * @throws the daemon's own error; ALREADY_RUNNING when start options were given to one that runs; START_FAILED
 */
export async function spawnDaemon(options: StartOptions, signal: AbortSignal): Promise<StartAnswer> {
  const dataDir = ensureDataDir(options.dataDir as AbsPath)
  if (await isRunning(dataDir)) return alreadyRunning(dataDir, options)
  const child = launch({ ...options, dataDir })
  const report = reportOf(child, dataDir)
  try {
    const { pid, socket } = await raceSignal(report, AbortSignal.any([signal, AbortSignal.timeout(START_MS)]))
    return { started: true, pid, dataDir: displayPath(dataDir), socket: displayPath(socket) }
  } catch (err) {
    if (errorCode(err) === 'LOCKED') {
      if (await othersAnswer(dataDir, signal)) return alreadyRunning(dataDir, options)
      throw new SpacedriveError('LOCKED', `could not start: ${(err as Error).message}, which does not answer`, {
        hint: 'It may still be starting or stopping. Look at `spacedrive instance list` and `spacedrive system logs`.'
      })
    }
    child.kill('SIGTERM')
    if (errorCode(err) !== 'ABORTED' || signal.aborted) throw err
    throw new SpacedriveError('START_FAILED', `the daemon did not answer within ${START_MS / 1000} s`, {
      hint: 'See `spacedrive system logs`.'
    })
  } finally {
    report.catch(() => {})
    if (child.connected) child.disconnect()
    child.unref()
  }
}

function launch(options: StartOptions): ChildProcess {
  ensureLogDir(options.dataDir)
  const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0)
  const output = openSync(outputFile(options.dataDir), flags, 0o600)
  try {
    const main = fileURLToPath(packedUrl('node/daemon/main.js'))
    return spawn(process.execPath, [...HEAP_FLAGS, main, JSON.stringify(options)], {
      detached: true,
      env: daemonEnvironment(),
      // Its own folder: a daemon must not keep the disk busy on which somebody happened to stand.
      cwd: options.dataDir,
      stdio: ['ignore', output, output, 'ipc']
    })
  } finally {
    closeSync(output)
  }
}

async function reportOf(child: ChildProcess, dataDir: AbsPath): Promise<{ pid: number; socket: string }> {
  return await new Promise((resolve, reject) => {
    child.once('message', (report: StartReport) => {
      if ('ready' in report) resolve(report.ready)
      else reject(fromPlainError(report.error))
    })
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      const how = signal === null ? `exit code ${code}` : `signal ${signal}`
      reject(
        new SpacedriveError('START_FAILED', `the daemon ended while it was starting (${how})`, {
          hint: `See ${displayPath(join(dataDir, 'logs'))}.`
        })
      )
    })
  })
}

async function othersAnswer(dataDir: AbsPath, signal: AbortSignal): Promise<boolean> {
  const until = performance.now() + OTHER_START_MS
  while (performance.now() < until) {
    signal.throwIfAborted()
    if (await isRunning(dataDir)) return true
    await new Promise(resolve => setTimeout(resolve, OTHER_START_POLL_MS))
  }
  return false
}

function alreadyRunning(dataDir: AbsPath, options: StartOptions): StartAnswer {
  const place = findPlace(dataDir)
  if (Object.keys(options.flags).length > 0 || options.passwordFile !== undefined) {
    throw new SpacedriveError('ALREADY_RUNNING', `the daemon of ${displayPath(dataDir)} is running already`, {
      hint: 'Its start options hold until it stops: use `spacedrive restart` with the new ones.'
    })
  }
  return {
    started: false,
    pid: place?.pid ?? 0,
    dataDir: displayPath(dataDir),
    socket: displayPath(place?.socket ?? '')
  }
}
