/** Lists of blocks on the wire: how many, and beside it their lengths (u32, little-endian) and then their hashes. */
import { BLOCK_HASH_BYTES, type BlockRun } from '../../storage/content/index.js'
import { type BlockPiece, type BlocksOptions, MAX_BLOCKS, type StagedBlocks } from '../../sync/endpoints/index.js'
import { wireError } from '../wire/index.js'
import type { Output } from './calls.js'

const LENGTH_BYTES = 4

export function blocksToWire(piece: BlockPiece): { values: Output<'blocks'>; data?: Uint8Array[] } {
  if (piece.kind === 'done') return { values: piece }
  return { values: { kind: 'blocks', count: piece.lengths.length }, data: blocksData(piece) }
}

/** What lies beside a count of blocks. */
export const blocksData = ({ lengths, hashes }: Pick<StagedBlocks, 'lengths' | 'hashes'>): Uint8Array[] => [
  new Uint8Array(lengths.buffer, lengths.byteOffset, lengths.byteLength),
  hashes
]

/** The same in memory of its own. undefined: it is not as long as so many blocks. */
export function blocksFromData(count: number, data: Uint8Array): BlockRun | undefined {
  if (data.length !== count * (LENGTH_BYTES + BLOCK_HASH_BYTES)) return undefined
  const own = new Uint8Array(data)
  return {
    lengths: new Uint32Array(own.slice(0, count * LENGTH_BYTES).buffer),
    hashes: own.slice(count * LENGTH_BYTES)
  }
}

/** @throws {SpacedriveError} MALFORMED when the parts are not the blocks of one file: cut so, all of it, and an end to them */
export async function* blocksInOrder(
  parts: AsyncIterable<{ readonly value: Output<'blocks'>; readonly data: Uint8Array<ArrayBuffer> }>,
  { averageBytes, fromBytes }: Omit<BlocksOptions, 'signal'>
): AsyncGenerator<BlockPiece, void, void> {
  const malformed = (why: string) => wireError('MALFORMED', `a list of blocks is not in order: ${why}`)
  let sizeBytes = fromBytes ?? 0
  let blocks = 0
  /** Only the last block of a file may be short. */
  let short = false
  let done = false
  for await (const { value, data } of parts) {
    if (done) throw malformed('it goes on behind its end')
    if (value.kind === 'done') {
      if (value.stat.sizeBytes !== sizeBytes) throw malformed('its blocks are not the file')
      if (value.hash === undefined && fromBytes === undefined) throw malformed('the hash of the whole')
      done = true
      yield value
      continue
    }
    const { count } = value
    blocks += count
    if (blocks > MAX_BLOCKS) throw malformed('it has no end')
    const run = blocksFromData(count, data)
    if (run === undefined) throw malformed('its length')
    for (const length of run.lengths) {
      if (short || length === 0 || length > 4 * averageBytes) throw malformed('the length of a block')
      short = length < averageBytes / 4
      sizeBytes += length
    }
    yield { kind: 'blocks', ...run }
  }
  if (!done) throw malformed('its end is missing')
}
