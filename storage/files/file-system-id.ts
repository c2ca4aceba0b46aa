import type { AbsPath } from '../base/index.js'
import { findNative } from './native.js'

/** struct statfs of 64-bit Linux: the same on both processors. */
const STATFS_BYTES = 120
const [FSID_HIGH, FSID_LOW] = [56, 60] as const
const WORD_BITS = 32n

/**
 * What a file system calls itself (f_fsid of statfs(2)), in hexadecimal as `stat -f -c %i` prints it. Made for worker threads: it
 * waits for the file system.
 * @returns undefined where it cannot be asked without a process
 * @throws what the system says of the path
 */
export function fileSystemId(path: AbsPath): string | undefined {
  const ask = findNative()?.statfs
  if (ask === undefined) return undefined
  const stat = Buffer.alloc(STATFS_BYTES)
  ask(path, stat)
  return ((BigInt(stat.readUInt32LE(FSID_HIGH)) << WORD_BITS) | BigInt(stat.readUInt32LE(FSID_LOW))).toString(16)
}
