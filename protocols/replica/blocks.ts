/** Lists of blocks on the wire: how many, and beside it their lengths (u32, little-endian) and then their hashes. */
import { BLOCK_HASH_BYTES } from '../../storage/content/index.js'
import { type BlockPiece, MAX_BLOCKS } from '../../sync/endpoints/index.js'
import { wireError } from '../wire/index.js'
import type { Output } from './calls.js'

const LENGTH_BYTES = 4

export function blocksToWire(piece: BlockPiece): { values: Output<'blocks'>; data?: Uint8Array[] } {
  if (piece.kind === 'done') return { values: piece }
  const { lengths, hashes } = piece
  return {
    values: { kind: 'blocks', count: lengths.length },
    data: [new Uint8Array(lengths.buffer, lengths.byteOffset, lengths.byteLength), hashes]
  }
}

/** @throws {SpacedriveError} MALFORMED when the parts are not the blocks of one file: cut so, all of it, and an end to them */
export async function* blocksInOrder(
  parts: AsyncIterable<{ readonly value: Output<'blocks'>; readonly data: Uint8Array<ArrayBuffer> }>,
  averageBytes: number
): AsyncGenerator<BlockPiece, void, void> {
  const malformed = (why: string) => wireError('MALFORMED', `a list of blocks is not in order: ${why}`)
  let sizeBytes = 0
  let blocks = 0
  /** Only the last block of a file may be short. */
  let short = false
  let done = false
  for await (const { value, data } of parts) {
    if (done) throw malformed('it goes on behind its end')
    if (value.kind === 'done') {
      if (value.stat.sizeBytes !== sizeBytes) throw malformed('its blocks are not the file')
      done = true
      yield value
      continue
    }
    const { count } = value
    blocks += count
    if (blocks > MAX_BLOCKS) throw malformed('it has no end')
    if (data.length !== count * (LENGTH_BYTES + BLOCK_HASH_BYTES)) throw malformed('its length')
    const lengths = new Uint32Array(data.slice(0, count * LENGTH_BYTES).buffer)
    for (const length of lengths) {
      if (short || length === 0 || length > 4 * averageBytes) throw malformed('the length of a block')
      short = length < averageBytes / 4
      sizeBytes += length
    }
    yield { kind: 'blocks', lengths, hashes: data.slice(count * LENGTH_BYTES) }
  }
  if (!done) throw malformed('its end is missing')
}
