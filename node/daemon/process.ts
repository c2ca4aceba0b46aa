import { closeSync, fstatSync, ftruncateSync, openSync, readSync } from 'node:fs'
import type { AbsPath } from '../../storage/base/index.js'
import type { InstanceDatabase } from '../../storage/instance/index.js'
import { ensureDataDir, ensureLogDir, logFile, outputFile } from '../instance/index.js'
import { type Daemon, startDaemon } from './daemon.js'
import { createLog, type DaemonLog } from './log.js'
import { openLogFile } from './log-file.js'
import type { StartOptions } from './start-options.js'

/** All parts in order have 10 s each; whoever hangs longer than this holds the whole stop. */
const STOP_MS = 60_000

export interface ProcessInit {
  /** A background daemon outlives its terminal; one in the foreground ends with it. */
  background: boolean
  /** The database of the instance, when it is being opened already. */
  instance?: Promise<InstanceDatabase>
  /** Also receives each line of the log. */
  echo?: (line: string) => void
  /** When the socket answers and the data of this device is open; the rest comes up after that. */
  onReady?: (daemon: Daemon) => void
}

/**
 * Runs a daemon as this process: its log, signals, and the errors that nobody caught.
 * @returns the exit code, when everything has stopped
 * @throws what `startDaemon` throws, and what a local part threw at its start
 */
export async function runDaemonProcess(options: StartOptions, init: ProcessInit): Promise<number> {
  const startedAt = Date.now()
  const dataDir = ensureDataDir(options.dataDir as AbsPath)
  ensureLogDir(dataDir)
  const file = openLogFile(logFile(dataDir))
  const log = createLog(
    line => {
      file.write(line)
      init.echo?.(line)
    },
    options.verbose ? 'debug' : 'info'
  )
  let exitCode = 0
  let daemon: Daemon | undefined

  const stop = (reason: string): void => {
    setTimeout(() => process.exit(1), STOP_MS).unref()
    void daemon?.stop(reason)
  }
  let signals = 0
  const onSignal = (signal: NodeJS.Signals): void => {
    if (signal === 'SIGHUP' && init.background) return
    if (++signals > 1 || daemon === undefined) {
      log.warn('ended at once', { signal })
      process.exit(1)
    }
    stop(signal)
  }
  const onFatal = (err: unknown): void => {
    log.error('an error that nobody caught; the daemon stops', { err })
    exitCode = 1
    if (daemon === undefined) process.exit(1)
    stop('an unexpected error')
  }
  const onWarning = (warning: Error): void => log.warn('a warning of Node.js', { warning })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal)
  process.on('uncaughtException', onFatal)
  process.on('unhandledRejection', onFatal)
  process.on('warning', onWarning)

  try {
    reportCrash(dataDir, log)
    daemon = await startDaemon({ ...options, dataDir }, log, { startedAtMs: startedAt, instance: init.instance })
    try {
      await daemon.peer.ready
    } catch (err) {
      if (!daemon.peer.stopping.aborted) {
        await daemon.stop('a part could not start')
        throw err
      }
    }
    if (!daemon.peer.stopping.aborted) init.onReady?.(daemon)
    // The starting command has been told that all is well: the log and the exit code are what is left to say otherwise.
    daemon.started.catch(err => {
      if (daemon?.peer.stopping.aborted === true) return
      log.error('a part could not start; the daemon stops', { err })
      exitCode = 1
      stop('a part could not start')
    })
    await daemon.stopped
    return exitCode
  } catch (err) {
    log.error('could not start', { err })
    throw err
  } finally {
    log.close()
    file.close()
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, onSignal)
    process.off('uncaughtException', onFatal)
    process.off('unhandledRejection', onFatal)
    process.off('warning', onWarning)
  }
}

/** What the last process left on its standard error (a crash of the machine code, a full heap) is put into the log once. */
function reportCrash(dataDir: string, log: DaemonLog): void {
  const SHOWN_BYTES = 4_096
  let fd: number
  try {
    fd = openSync(outputFile(dataDir), 'r+')
  } catch {
    return
  }
  try {
    const { size } = fstatSync(fd)
    if (size === 0) return
    const bytes = Buffer.alloc(Math.min(size, SHOWN_BYTES))
    readSync(fd, bytes, 0, bytes.length, 0)
    for (const line of bytes.toString('utf8').split('\n').filter(Boolean)) {
      log.warn('left on standard error by an earlier process', { line })
    }
    ftruncateSync(fd, 0)
  } finally {
    closeSync(fd)
  }
}
