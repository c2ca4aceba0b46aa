import type { AbortOptions, ContentHash, RelPath } from '../../storage/base/index.js'
import { BLOCK_HASH_BYTES } from '../../storage/content/index.js'
import type { EntryStat } from '../../storage/files/index.js'
import type { Endpoint } from '../endpoints/index.js'

/** All blocks of one file: 4 bytes and a hash each, so some 1.2 MiB for a file of 4 GiB. */
export interface BlockList {
  readonly lengths: Uint32Array
  /** BLOCK_HASH_BYTES each. */
  readonly hashes: Uint8Array
}

/** The same with what its end says of the file. */
export interface FileBlocks extends BlockList {
  readonly stat: EntryStat
  readonly hash: ContentHash
}

/** Asks an end for the blocks of a file. @throws what `Endpoint.blocks` throws */
export async function blocksAt(
  endpoint: Pick<Endpoint, 'blocks'>,
  path: RelPath,
  averageBytes: number,
  { signal }: AbortOptions = {}
): Promise<FileBlocks> {
  const runs: BlockList[] = []
  for await (const piece of endpoint.blocks(path, { averageBytes, signal })) {
    if (piece.kind === 'blocks') runs.push(piece)
    else return { ...joined(runs), stat: piece.stat, hash: piece.hash }
  }
  throw new TypeError('a list of blocks has an end') // every end promises one, and the client of a remote one checks it
}

/** A key for maps; what comes from another device cannot make many of them fall into one place. */
export const blockKey = ({ hashes }: BlockList, index: number): string =>
  Buffer.from(hashes.buffer, hashes.byteOffset + index * BLOCK_HASH_BYTES, BLOCK_HASH_BYTES).toString('latin1')

function joined(runs: readonly BlockList[]): BlockList {
  const count = runs.reduce((sum, run) => sum + run.lengths.length, 0)
  const lengths = new Uint32Array(count)
  const hashes = new Uint8Array(count * BLOCK_HASH_BYTES)
  let at = 0
  for (const run of runs) {
    lengths.set(run.lengths, at)
    hashes.set(run.hashes, at * BLOCK_HASH_BYTES)
    at += run.lengths.length
  }
  return { lengths, hashes }
}
