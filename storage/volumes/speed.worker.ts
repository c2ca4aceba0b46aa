import { spawnSync } from 'node:child_process'
import { closeSync, fdatasyncSync, mkdirSync, openSync, readSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { defineTasks, displayPath, fsPath, hasCode, SpacedriveError, type TaskContext, toError } from '../base/index.js'

export interface SpeedInput {
  /** The folder to be made, on the volume; whoever asks has noted its name and removes it. */
  readonly own: string
  readonly bytes: number
}

export interface SpeedOutput {
  readonly writeBytesPerSecond: number
  readonly readBytesPerSecond: number
  readonly readCached: boolean
}

export const SPEED_FILE = 'data'
/** Incompressible, so that a compressing file system is measured as it is with photographs. */
const BLOCK_BYTES = 4 * 2 ** 20

export const speed = defineTasks(import.meta.url, {
  /** Writes a file into a folder that it makes, durable, and reads it back past the cache. @throws NOT_WRITABLE, NO_SPACE */
  async measure({ own, bytes }: SpeedInput, { signal }: TaskContext): Promise<SpeedOutput> {
    makeFolder(own)
    const file = `${own}/${SPEED_FILE}`
    try {
      return {
        writeBytesPerSecond: rate(bytes, await write(file, bytes, signal)),
        ...(await read(file, bytes, signal))
      }
    } catch (err) {
      if (hasCode(err, 'ENOSPC', 'EDQUOT')) {
        throw new SpacedriveError(
          'NO_SPACE',
          `the disk of ${displayPath(dirname(own))} filled up while its speed was measured`,
          {
            hint: 'Free some space or measure with less: --size.',
            cause: err
          }
        )
      }
      throw err
    }
  }
})

/** Never takes a folder that is there already. */
function makeFolder(own: string): void {
  try {
    mkdirSync(fsPath(own), { mode: 0o700 })
  } catch (err) {
    const dir = displayPath(dirname(own))
    throw new SpacedriveError('NOT_WRITABLE', `could not measure the speed in ${dir}: ${toError(err).message}`, {
      hint: 'Name a folder on that volume that you may write to.',
      cause: err
    })
  }
}

async function write(file: string, bytes: number, signal: AbortSignal): Promise<number> {
  const block = Buffer.allocUnsafe(BLOCK_BYTES)
  for (let i = 0; i + 4 <= BLOCK_BYTES; i += 4) block.writeInt32LE((Math.random() * 2 ** 32) | 0, i)
  const fd = openSync(fsPath(file), 'wx', 0o600)
  try {
    const from = performance.now()
    for (let at = 0; at < bytes; ) {
      await turn(signal)
      at += writeSync(fd, block, 0, Math.min(BLOCK_BYTES, bytes - at))
    }
    fdatasyncSync(fd)
    return performance.now() - from
  } finally {
    closeSync(fd)
  }
}

async function read(
  file: string,
  bytes: number,
  signal: AbortSignal
): Promise<Omit<SpeedOutput, 'writeBytesPerSecond'>> {
  signal.throwIfAborted()
  // Node cannot read around the page cache (O_DIRECT wants aligned memory); dd can where the file system allows it.
  const from = performance.now()
  const dd = spawnSync('dd', [`if=${file}`, 'of=/dev/null', 'bs=4M', 'iflag=direct'], { stdio: 'ignore' })
  if (dd.status === 0) return { readBytesPerSecond: rate(bytes, performance.now() - from), readCached: false }
  const block = Buffer.allocUnsafe(BLOCK_BYTES)
  const fd = openSync(fsPath(file), 'r')
  try {
    const start = performance.now()
    while (readSync(fd, block) > 0) await turn(signal)
    return { readBytesPerSecond: rate(bytes, performance.now() - start), readCached: true }
  } finally {
    closeSync(fd)
  }
}

/** Lets the thread hear that it is to stop. */
async function turn(signal: AbortSignal): Promise<void> {
  await new Promise(resolve => setImmediate(resolve))
  signal.throwIfAborted()
}

const rate = (bytes: number, ms: number): number => bytes / (Math.max(ms, 0.001) / 1000)
