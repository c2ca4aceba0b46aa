import { type AbortOptions, type ContentHash, SpacedriveError } from '../base/index.js'
import { createHasher, hashBytes } from './hasher.js'

/** What a stat says of a file's content: as long as none of it changes, neither did the content, unless the stat is racy. */
export interface ContentStat {
  readonly sizeBytes: number
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
  readonly device: bigint
  readonly inode: bigint
}

export interface HashedContent extends ContentStat {
  readonly hash: ContentHash
  /** Wall clock when reading began: see `isRacy`. */
  readonly startedMs: number
}

/** Something that can be read at a position and looked at: an open file of the real disk or of a simulated one. */
export interface ReadSource {
  /** Fills `into` from `position`. @returns bytes read, 0 at the end */
  read(into: Uint8Array, position: number): number
  stat(): ContentStat
}

export interface HashRange extends AbortOptions {
  /** First byte; 0 unless told. */
  fromBytes?: number | undefined
  /** How many bytes; up to the end unless told. Fewer there: CHANGED_WHILE_READING. */
  lengthBytes?: number | undefined
}

/** One piece: large enough for full speed, and the signal is looked at between two of them. */
export const PIECE_BYTES = 1024 * 1024
/** Two steps of the kernel's clock (at most 10 ms): a write later than that after a stat shows in the next one. */
const MIN_RACY_MS = 20

let piece: Uint8Array | undefined

/**
 * Hashes an open file (or a range of it) in pieces, with a look before and after.
 * @param name - how errors call it
 * @throws {SpacedriveError} CHANGED_WHILE_READING when size, mtime or ctime moved or the range is not all there; try again later
 */
export async function hashSource(source: ReadSource, name: string, options: HashRange = {}): Promise<HashedContent> {
  const { fromBytes = 0, lengthBytes, signal } = options
  signal?.throwIfAborted()
  const startedMs = Date.now()
  const before = source.stat()
  const length = lengthBytes ?? Math.max(0, before.sizeBytes - fromBytes)
  let hash: ContentHash
  piece ??= new Uint8Array(PIECE_BYTES)
  if (length <= PIECE_BYTES) {
    const n = readFully(source, piece.subarray(0, length), fromBytes)
    if (n < length) throw changedWhileReading(name)
    hash = hashBytes(piece.subarray(0, n))
  } else {
    const hasher = createHasher()
    // A buffer of its own: another task may run in this thread while this one lets the event loop turn.
    const own = new Uint8Array(PIECE_BYTES)
    for (let done = 0; done < length; ) {
      const n = readFully(source, own.subarray(0, Math.min(PIECE_BYTES, length - done)), fromBytes + done)
      if (n === 0) throw changedWhileReading(name)
      hasher.update(own.subarray(0, n))
      done += n
      await letMessagesIn()
      signal?.throwIfAborted()
    }
    hash = hasher.digest()
  }
  const after = source.stat()
  if (!sameContentStat(before, after)) throw changedWhileReading(name)
  return { ...after, hash, startedMs }
}

/** True when nothing in the two stats speaks for a change of content in between. */
export function sameContentStat(a: ContentStat, b: ContentStat): boolean {
  return (
    a.sizeBytes === b.sizeBytes &&
    a.mtimeNs === b.mtimeNs &&
    a.ctimeNs === b.ctimeNs &&
    a.inode === b.inode &&
    a.device === b.device
  )
}

/**
 * A stat vouches for a hash only if mtime and ctime lie two clock steps before hashing began; else a write in the same
 * step may hide behind it, and the file is hashed again at the next look.
 * @param clockStepMs - step of that file system's times (2,000 on FAT)
 */
export function isRacy(stat: Pick<HashedContent, 'mtimeNs' | 'ctimeNs' | 'startedMs'>, clockStepMs = 0): boolean {
  const limitNs = BigInt(Math.floor(stat.startedMs - Math.max(MIN_RACY_MS, 2 * clockStepMs))) * 1_000_000n
  return stat.mtimeNs > limitNs || stat.ctimeNs > limitNs
}

/** Reads until `into` is full or the file ends. @returns bytes read */
export function readFully(source: Pick<ReadSource, 'read'>, into: Uint8Array, position: number): number {
  let n = 0
  while (n < into.length) {
    const got = source.read(into.subarray(n), position + n)
    if (got === 0) break
    n += got
  }
  return n
}

/** One turn of the thread's event loop: the message that says "abort" can only arrive then. */
const letMessagesIn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

function changedWhileReading(name: string): SpacedriveError {
  return new SpacedriveError('CHANGED_WHILE_READING', `could not read ${name}: it was changed meanwhile`, {
    hint: 'It is read again later; close the program that writes to it to be sure.'
  })
}
