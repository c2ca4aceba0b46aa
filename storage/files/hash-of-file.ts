import type { ContentHash } from '../base/index.js'
import { createHasher, PIECE_BYTES } from '../content/index.js'
import type { DirHandle, Disk } from './disk.js'

/** Of a file that nobody is known to write to: what it held while it was read. */
export function hashOfFile(disk: Disk, dir: DirHandle, name: string): { hash: ContentHash; sizeBytes: number } {
  const hasher = createHasher()
  const piece = new Uint8Array(PIECE_BYTES)
  const fd = disk.open(dir, name, 'read')
  let position = 0
  try {
    for (let n = disk.read(fd, piece, 0); n > 0; n = disk.read(fd, piece, position)) {
      hasher.update(piece.subarray(0, n))
      position += n
    }
  } finally {
    disk.close(fd)
  }
  return { hash: hasher.digest(), sizeBytes: position }
}
