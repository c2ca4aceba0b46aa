import { errorCode, hasCode, SpacedriveError } from '../base/index.js'
import { createHasher, hashBytes } from '../content/index.js'
import type { Disk } from './disk.js'
import type { EntryStat } from './fingerprint.js'
import type { LargeCopy } from './large-copy.js'
import { readError } from './problems.js'

/** How content gets from one open file into another. */
export type ContentStrategy = 'reflink' | 'kernel' | 'stream'

export interface CopiedContent {
  /** What was done: `kernel` or `stream` where the strategy asked for is not to be had. */
  readonly strategy: ContentStrategy
  /** BLAKE3 of what was read; only `stream` sees the bytes. */
  readonly hash?: string
}

export interface CopyContent {
  /** Of the source, for messages. */
  readonly path: string
  readonly from: number
  readonly to: number
  /** Of the source, as it was opened. */
  readonly stat: EntryStat
  readonly strategy: ContentStrategy
  /** Of a large file: what of it is there already, and who notes what comes. */
  readonly large?: LargeCopy | undefined
  /** Called between pieces, with the bytes since the last call; may throw to end it. */
  between(bytes: number): Promise<void>
}

/** Between two of them the signal is looked at: some 5 ms of a fast disk. */
const PIECE_BYTES = 8 * 1024 * 1024
/** What systems answer that cannot, between these two files: the next way is taken. */
const CANNOT = new Set(['EOPNOTSUPP', 'ENOTSUP', 'ENOTTY', 'EXDEV', 'EINVAL', 'ENOSYS', 'EPERM', 'ETXTBSY', 'EBADF'])

let buffer: Uint8Array | undefined

/** The buffer of this thread; who lets the event loop turn while using it needs one of its own. */
export const pieceHere = (): Uint8Array => {
  buffer ??= new Uint8Array(SMALL_PIECE_BYTES)
  return buffer
}
/** Files up to this size are copied in one turn. */
export const SMALL_PIECE_BYTES = 256 * 1024

/**
 * The content of one file into an empty one, or on from where `large` begins. Holes stay holes.
 * @throws {SpacedriveError} CHANGED when the source turned out shorter or longer than it was, READ_ERROR; errors of writing as
 *   they are
 */
export async function copyContent(disk: Disk, init: CopyContent): Promise<CopiedContent> {
  const { stat, strategy, large } = init
  const from = large?.startBytes ?? 0
  const sparse = hasHoles(disk, stat)
  if (strategy === 'reflink' && from === 0 && clone(disk, init)) return { strategy }
  if (stat.sizeBytes <= SMALL_PIECE_BYTES && !sparse) return copySmall(disk, init)
  const hasher = strategy === 'stream' ? (large?.hasher ?? createHasher()) : undefined
  let kernel = strategy !== 'stream' && disk.quick !== undefined
  let piece: Uint8Array | undefined
  for await (const [start, end] of sparse ? dataRanges(disk, init, from) : [[from, stat.sizeBytes]]) {
    for (let at = start!; at < end!; ) {
      const length = Math.min(PIECE_BYTES, end! - at)
      let n: number | undefined
      if (kernel) n = tryRange(disk, init, at, length)
      if (n === undefined) {
        kernel = false
        piece ??= new Uint8Array(1024 * 1024)
        n = read(disk, init, piece.subarray(0, Math.min(piece.length, length)), at)
        if (n > 0) disk.write(init.to, piece.subarray(0, n), at)
        hasher?.update(piece.subarray(0, n))
      }
      if (n === 0) throw changed()
      at += n
      large?.wrote(at, n)
      await init.between(n)
    }
  }
  if (sparse) disk.truncate(init.to, stat.sizeBytes)
  // The hash of a file with holes is that of all its bytes, which only reading tells: see `verified`.
  return { strategy: kernel ? 'kernel' : 'stream', ...(hasher !== undefined && !sparse && { hash: hasher.digest() }) }
}

/** EIO may be of either end: a read tells. */
const cannot = (err: unknown): boolean => CANNOT.has(errorCode(err)) || hasCode(err, 'EIO')

/** Holes are looked for in it; a file that is compressed, or not all written out yet, may seem to have some. */
export const hasHoles = (disk: Disk, { allocatedBytes, sizeBytes }: EntryStat): boolean =>
  (allocatedBytes ?? sizeBytes) < sizeBytes && disk.quick !== undefined

function copySmall(disk: Disk, init: CopyContent): CopiedContent {
  const { to, stat, strategy } = init
  const into = pieceHere()
  let length = 0
  while (length < stat.sizeBytes) {
    const n = read(disk, init, into.subarray(length, stat.sizeBytes), length)
    if (n === 0) throw changed()
    length += n
  }
  const bytes = into.subarray(0, length)
  if (length > 0) disk.write(to, bytes, 0)
  return strategy === 'stream' ? { strategy, hash: hashBytes(bytes) } : { strategy: 'stream' }
}

function clone(disk: Disk, { from, to }: CopyContent): boolean {
  try {
    disk.quick?.clone(from, to)
    return disk.quick !== undefined
  } catch (err) {
    if (cannot(err)) return false
    throw err
  }
}

function tryRange(disk: Disk, { from, to }: CopyContent, at: number, length: number): number | undefined {
  try {
    return disk.quick!.copyRange(from, to, at, length)
  } catch (err) {
    if (cannot(err)) return undefined
    throw err
  }
}

function read(disk: Disk, { from, path }: CopyContent, into: Uint8Array, at: number): number {
  try {
    return disk.read(from, into, at)
  } catch (err) {
    throw readError('copy', path, err)
  }
}

/** The stretches of a file that are no holes, from `begin` on. */
function* dataRanges(disk: Disk, { from, path, stat }: CopyContent, begin: number): Generator<[number, number]> {
  const { sizeBytes } = stat
  const seek = (at: number, what: 'data' | 'hole'): number => {
    try {
      return disk.quick!.seek(from, at, what)
    } catch (err) {
      throw readError('copy', path, err)
    }
  }
  for (let at = begin; at < sizeBytes; ) {
    const start = seek(at, 'data')
    if (start < 0) return
    const end = seek(start, 'hole')
    at = end < 0 ? sizeBytes : Math.min(end, sizeBytes)
    yield [Math.min(start, sizeBytes), at]
  }
}

const changed = (): SpacedriveError => new SpacedriveError('CHANGED', 'it was written to while it was copied')
