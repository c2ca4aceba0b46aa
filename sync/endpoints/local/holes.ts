import type { EntryStat, OpenFile } from '../../../storage/files/index.js'
import { MAX_HOLE_BYTES, READ_PIECE_BYTES } from '../limits.js'

export interface Stretch {
  readonly from: number
  readonly to: number
  readonly hole: boolean
}

/** Cuts a range into what is read at once: pieces of data, and holes where the file takes less place than its size. */
export function* stretches(file: OpenFile, stat: EntryStat, from: number, to: number): Generator<Stretch> {
  const sparse = file.seek !== undefined && (stat.allocatedBytes ?? stat.sizeBytes) < stat.sizeBytes
  if (!sparse) {
    yield* pieces(from, to, READ_PIECE_BYTES, false)
    return
  }
  const end = Math.min(to, stat.sizeBytes)
  for (let at = from; at < end; ) {
    const data = file.seek!(at, 'data')
    const holeEnd = data < 0 ? end : Math.min(data, end)
    yield* pieces(at, holeEnd, MAX_HOLE_BYTES, true)
    if (holeEnd >= end) break
    const hole = file.seek!(holeEnd, 'hole')
    at = hole < 0 ? end : Math.min(hole, end)
    yield* pieces(holeEnd, at, READ_PIECE_BYTES, false)
  }
  // A range beyond the end is told by the reading: there is nothing there.
  yield* pieces(Math.max(from, end), to, READ_PIECE_BYTES, false)
}

function* pieces(from: number, to: number, size: number, hole: boolean): Generator<Stretch> {
  for (let at = from; at < to; at += size) yield { from: at, to: Math.min(to, at + size), hole }
}
