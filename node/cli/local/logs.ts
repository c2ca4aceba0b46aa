import { closeSync, fstatSync, openSync, readFileSync, readSync, statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { displayPath, errorCode, SpacedriveError } from '../../../storage/base/index.js'
import { KEPT_LOGS, logFile } from '../../instance/index.js'
import type { LocalCommand } from './local-command.js'
import { showLog } from './log-lines.js'

const DEFAULT_TAIL = 50
/** All that is kept is less than this. */
const MAX_TAIL = 1_000_000
/** How late a followed line is shown at most. */
const FOLLOW_MS = 200

/** Read from the files, not from the daemon: the log is wanted most when that does not run. */
export const systemLogs: LocalCommand = {
  path: 'system logs',
  summary: "The daemon's log",
  options: [
    ['--tail <n>', `the last n lines (${DEFAULT_TAIL})`],
    ['--follow', 'go on showing what comes, until Ctrl-C']
  ],
  examples: ['spacedrive system logs --tail 100', 'spacedrive system logs --follow', 'spacedrive --json system logs'],
  async run({ dataDir, terminal, signal }, { options }) {
    const wanted = parseTail(options.tail)
    const file = logFile(dataDir)
    if (statSync(file, { throwIfNoEntry: false }) === undefined && options.follow !== true) {
      throw new SpacedriveError('NO_LOG', `there is no log in ${displayPath(dataDir)}`, {
        hint: 'It begins with the first `spacedrive start`. For another instance give --instance or --data-dir.'
      })
    }
    const show = (line: string): void => {
      if (terminal.json) terminal.line(line)
      else showLog(line, terminal, text => terminal.line(text))
    }
    const offset = showTail(file, wanted, show)
    if (options.follow === true) await follow(file, offset, show, signal)
    return undefined
  }
}

function parseTail(value: unknown): number {
  if (value === undefined) return DEFAULT_TAIL
  const n = Number(value)
  if (typeof value === 'string' && /^\d+$/.test(value) && n <= MAX_TAIL) return n
  throw new SpacedriveError('USAGE', `--tail takes a number from 0 to ${MAX_TAIL}, not "${String(value)}"`)
}

/** Shows the last lines over all files. @returns how far the current one was read */
function showTail(file: string, wanted: number, show: (line: string) => void): number {
  const current = read(file, 0)
  let lines = split(current)
  for (let i = 1; i <= KEPT_LOGS && lines.length < wanted; i++) lines = [...split(read(`${file}.${i}`, 0)), ...lines]
  for (const line of wanted === 0 ? [] : lines.slice(-wanted)) show(line)
  return current.lastIndexOf(0x0a) + 1
}

/** A file that became shorter began anew: the rest of what it was is in `.1`. */
async function follow(file: string, from: number, show: (line: string) => void, signal: AbortSignal): Promise<void> {
  let offset = from
  for (;;) {
    await sleep(FOLLOW_MS, undefined, { signal }).catch(() => signal.throwIfAborted())
    if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) < offset) {
      for (const line of split(read(`${file}.1`, offset))) show(line)
      offset = 0
    }
    const bytes = read(file, offset)
    const end = bytes.lastIndexOf(0x0a) + 1
    for (const line of split(bytes.subarray(0, end))) show(line)
    offset += end
  }
}

function read(file: string, offset: number): Buffer {
  if (offset === 0) {
    try {
      return readFileSync(file)
    } catch (err) {
      if (errorCode(err) === 'ENOENT') return Buffer.alloc(0)
      throw err
    }
  }
  const fd = openSync(file, 'r')
  try {
    const bytes = Buffer.alloc(Math.max(0, fstatSync(fd).size - offset))
    return bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, offset))
  } finally {
    closeSync(fd)
  }
}

function split(bytes: Buffer): string[] {
  return bytes.toString('utf8').split('\n').filter(Boolean)
}
