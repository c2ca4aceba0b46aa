import { SpacedriveError } from '../base/index.js'
import { createHasher, hashBytes } from '../content/index.js'
import type { Disk } from './disk.js'
import type { EntryStat } from './fingerprint.js'

/** How content gets from one open file into another. */
export type ContentStrategy = 'reflink' | 'kernel' | 'stream'

export interface CopiedContent {
  /** What was done: `kernel` or `stream` where the strategy asked for is not to be had. */
  readonly strategy: ContentStrategy
  /** BLAKE3 of what was read; only `stream` sees the bytes. */
  readonly hash?: string
}

export interface CopyContent {
  readonly from: number
  readonly to: number
  /** Of the source, as it was opened. */
  readonly stat: EntryStat
  readonly strategy: ContentStrategy
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
 * The content of one file into an empty one. Holes stay holes.
 * @throws {SpacedriveError} CHANGED when the source turned out shorter or longer than it was; the system's errors as they are
 */
export async function copyContent(disk: Disk, init: CopyContent): Promise<CopiedContent> {
  const { stat, strategy } = init
  const sparse = (stat.allocatedBytes ?? stat.sizeBytes) < stat.sizeBytes && disk.quick !== undefined
  if (strategy === 'reflink' && clone(disk, init)) return { strategy }
  if (stat.sizeBytes <= SMALL_PIECE_BYTES && !sparse) return copySmall(disk, init)
  const hasher = strategy === 'stream' ? createHasher() : undefined
  let kernel = strategy !== 'stream' && disk.quick !== undefined
  let piece: Uint8Array | undefined
  for await (const [start, end] of sparse ? dataRanges(disk, init.from, stat.sizeBytes) : [[0, stat.sizeBytes]]) {
    for (let at = start!; at < end!; ) {
      const length = Math.min(PIECE_BYTES, end! - at)
      let n: number | undefined
      if (kernel) n = tryRange(disk, init, at, length)
      if (n === undefined) {
        kernel = false
        piece ??= new Uint8Array(1024 * 1024)
        n = disk.read(init.from, piece.subarray(0, Math.min(piece.length, length)), at)
        if (n > 0) disk.write(init.to, piece.subarray(0, n), at)
        hasher?.update(piece.subarray(0, n))
      }
      if (n === 0) throw changed()
      at += n
      await init.between(n)
    }
  }
  if (sparse) disk.truncate(init.to, stat.sizeBytes)
  // The hash of a file with holes is that of all its bytes, which only reading tells: see `verified`.
  return { strategy: kernel ? 'kernel' : 'stream', ...(hasher !== undefined && !sparse && { hash: hasher.digest() }) }
}

function copySmall(disk: Disk, { from, to, stat, strategy }: CopyContent): CopiedContent {
  const into = pieceHere()
  let length = 0
  while (length < stat.sizeBytes) {
    const n = disk.read(from, into.subarray(length, stat.sizeBytes), length)
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
    if (CANNOT.has((err as { code: string }).code)) return false
    throw err
  }
}

function tryRange(disk: Disk, { from, to }: CopyContent, at: number, length: number): number | undefined {
  try {
    return disk.quick!.copyRange(from, to, at, length)
  } catch (err) {
    if (CANNOT.has((err as { code: string }).code)) return undefined
    throw err
  }
}

/** The stretches of a file that are no holes. */
function* dataRanges(disk: Disk, fd: number, sizeBytes: number): Generator<[number, number]> {
  for (let at = 0; at < sizeBytes; ) {
    const start = disk.quick!.seek(fd, at, 'data')
    if (start < 0) return
    const end = disk.quick!.seek(fd, start, 'hole')
    at = end < 0 ? sizeBytes : Math.min(end, sizeBytes)
    yield [Math.min(start, sizeBytes), at]
  }
}

const changed = (): SpacedriveError => new SpacedriveError('CHANGED', 'it was written to while it was copied')
