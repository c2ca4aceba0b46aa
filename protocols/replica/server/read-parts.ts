import { givePlace, type ReadPiece } from '../../../sync/endpoints/index.js'
import type { Outgoing } from './served-folder.js'

/** What is read of a file as parts of an answer: each is sealed into a frame by the time that the next one is asked for. */
export async function* readParts(pieces: AsyncIterable<ReadPiece>): AsyncGenerator<Outgoing, void, void> {
  for await (const piece of pieces) {
    if (piece.kind !== 'data') {
      yield { values: piece }
      continue
    }
    try {
      yield { values: { kind: 'data', atBytes: piece.atBytes }, data: [piece.bytes] }
    } finally {
      givePlace(piece.bytes.buffer)
    }
  }
}
