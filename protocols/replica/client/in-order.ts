/** Content as it must come: in order, within what was asked for, with an end. */
import type { RelPath } from '../../../storage/base/index.js'
import { MAX_PACK_BYTES, ownMemory, type ReadPack, type ReadPiece } from '../../../sync/endpoints/index.js'
import type { Output } from '../calls.js'
import type { AnswerPart } from './answer.js'
import { malformed } from './failures.js'

/** @throws {SpacedriveError} MALFORMED */
export function packInOrder(
  paths: readonly RelPath[],
  files: Output<'readPack'>,
  data: Uint8Array<ArrayBuffer>
): ReadPack {
  if ((files.length === 0 && paths.length > 0) || files.some((f, i) => f.path !== paths[i])) throw malformed('files')
  if (data.length > MAX_PACK_BYTES) throw malformed('a pack that is too large')
  if (files.some(f => !('problem' in f) && f.offset + f.length > data.length)) throw malformed('a file cut off')
  return { files, data }
}

/** @param shared - read where it lies, and given back @throws {SpacedriveError} MALFORMED */
export async function* piecesInOrder(
  parts: AsyncIterable<AnswerPart<Output<'read'>>>,
  shared: boolean
): AsyncGenerator<ReadPiece, void, void> {
  let last = 0
  let done = false
  for await (const { value, data } of parts) {
    if (value.kind === 'data' || value.kind === 'hole') {
      const length = value.kind === 'data' ? data.length : value.lengthBytes
      if (value.atBytes < last) throw malformed('content out of order')
      last = value.atBytes + length
    }
    done = value.kind === 'done'
    yield value.kind === 'data' ? { ...value, bytes: shared ? data : ownMemory(data) } : value
  }
  if (!done) throw malformed('content without an end')
}
