import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { AbsPath } from '../../storage/base/index.js'

const logDir = (dataDir: string): string => join(dataDir, 'logs')

/** One JSON line an event; `.1` to `.4` are the files before it. */
export const logFile = (dataDir: string): AbsPath => join(logDir(dataDir), 'daemon.log') as AbsPath

/** What the process writes to its standard output and error: traces of a crash that no code of ours could log. */
export const outputFile = (dataDir: string): AbsPath => join(logDir(dataDir), 'output.log') as AbsPath

/** Files before the current one: 5 times 4 MiB are weeks of ordinary work. */
export const KEPT_LOGS = 4

/** Makes the folder of the logs, for this user alone. */
export function ensureLogDir(dataDir: string): void {
  mkdirSync(logDir(dataDir), { recursive: true, mode: 0o700 })
}
