import { spawnSync } from 'node:child_process'
import { closeSync, fdatasyncSync, mkdtempSync, openSync, readSync, writeSync } from 'node:fs'
import { defineTasks, fsPath, hasCode, SpacedriveError, type TaskContext, toError } from '../base/index.js'
import { removeEmptyDir, removeFile } from '../files/index.js'

export interface SpeedInput {
  /** An existing folder on the volume; our own folder is made in it. */
  readonly dir: string
  readonly bytes: number
}

export interface SpeedOutput {
  readonly writeBytesPerSecond: number
  readonly readBytesPerSecond: number
  readonly readCached: boolean
}

/** Incompressible, so that a compressing file system is measured as it is with photographs. */
const BLOCK_BYTES = 4 * 2 ** 20

export const speed = defineTasks(import.meta.url, {
  /**
   * Writes a file of its own into a folder of its own, durable, and reads it back past the cache. Both are removed by
   * name, never recursively: if something else came to lie in the folder, it stays.
   */
  async measure({ dir, bytes }: SpeedInput, { signal }: TaskContext): Promise<SpeedOutput> {
    const own = makeFolder(dir)
    const file = `${own}/data`
    try {
      return { writeBytesPerSecond: rate(bytes, write(file, bytes, signal)), ...read(file, bytes, signal) }
    } catch (err) {
      if (hasCode(err, 'ENOSPC', 'EDQUOT')) {
        throw new SpacedriveError('NO_SPACE', `the disk of ${dir} filled up while its speed was measured`, {
          hint: 'Free some space or measure with less: --size.',
          cause: err
        })
      }
      throw err
    } finally {
      await removeFile(file)
      await removeEmptyDir(own)
    }
  }
})

function makeFolder(dir: string): string {
  try {
    return String(mkdtempSync(`${fsPath(dir)}/.spacedrive-tmp-speed-`))
  } catch (err) {
    throw new SpacedriveError('NOT_WRITABLE', `could not measure the speed in ${dir}: ${toError(err).message}`, {
      hint: 'Name a folder on that volume that you may write to.',
      cause: err
    })
  }
}

function write(file: string, bytes: number, signal: AbortSignal): number {
  const block = Buffer.allocUnsafe(BLOCK_BYTES)
  for (let i = 0; i + 4 <= BLOCK_BYTES; i += 4) block.writeInt32LE((Math.random() * 2 ** 32) | 0, i)
  const fd = openSync(file, 'wx', 0o600)
  try {
    const from = performance.now()
    for (let at = 0; at < bytes; ) {
      signal.throwIfAborted()
      at += writeSync(fd, block, 0, Math.min(BLOCK_BYTES, bytes - at))
    }
    fdatasyncSync(fd)
    return performance.now() - from
  } finally {
    closeSync(fd)
  }
}

function read(file: string, bytes: number, signal: AbortSignal): Omit<SpeedOutput, 'writeBytesPerSecond'> {
  signal.throwIfAborted()
  // Node cannot read around the page cache (O_DIRECT wants aligned memory); dd can where the file system allows it.
  const from = performance.now()
  const dd = spawnSync('dd', [`if=${file}`, 'of=/dev/null', 'bs=4M', 'iflag=direct'], { stdio: 'ignore' })
  if (dd.status === 0) return { readBytesPerSecond: rate(bytes, performance.now() - from), readCached: false }
  const block = Buffer.allocUnsafe(BLOCK_BYTES)
  const fd = openSync(file, 'r')
  try {
    const start = performance.now()
    while (readSync(fd, block) > 0) signal.throwIfAborted()
    return { readBytesPerSecond: rate(bytes, performance.now() - start), readCached: true }
  } finally {
    closeSync(fd)
  }
}

const rate = (bytes: number, ms: number): number => bytes / (Math.max(ms, 0.001) / 1000)
