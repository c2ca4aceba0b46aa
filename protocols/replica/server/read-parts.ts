import { givePlace, type ReadPiece } from '../../../sync/endpoints/index.js'
import type { Outgoing } from './answering.js'

/**
 * What is read of a file as parts of an answer: each is sealed into a frame by the time that the next one is asked for.
 * @param most - bytes of one part under the limits of now
 */
export async function* readParts(
  pieces: AsyncIterable<ReadPiece>,
  most: () => number
): AsyncGenerator<Outgoing, void, void> {
  for await (const piece of pieces) {
    if (piece.kind !== 'data') {
      yield { values: piece }
      continue
    }
    const { bytes, atBytes } = piece
    try {
      for (let from = 0; from < bytes.length; ) {
        const part = bytes.subarray(from, from + most())
        yield { values: { kind: 'data', atBytes: atBytes + from }, data: [part] }
        from += part.length
      }
    } finally {
      givePlace(bytes.buffer)
    }
  }
}
