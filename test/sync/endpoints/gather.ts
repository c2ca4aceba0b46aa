import type { RelPath } from '../../../storage/base/index.js'
import type { ReadPiece, TreeEntry, TreePage } from '../../../sync/endpoints/index.js'

export const rel = (path: string): RelPath => path as RelPath

/** All entries of some pages. */
export async function gather(pages: AsyncIterable<TreePage>): Promise<TreeEntry[]> {
  const all: TreeEntry[] = []
  for await (const { entries } of pages) all.push(...entries)
  return all
}

export const paths = (entries: readonly TreeEntry[]): string[] => entries.map(e => e.path)

/** The bytes of a whole read, holes as zeros; checks that it begins, goes on and ends as it must. */
export async function bytesOf(pieces: AsyncIterable<ReadPiece>): Promise<Buffer> {
  const parts: Buffer[] = []
  let state: 'begin' | 'open' | 'done' = 'begin'
  for await (const piece of pieces) {
    if ((piece.kind === 'opened') !== (state === 'begin') || state === 'done')
      throw new Error(`${piece.kind} in ${state}`)
    state = piece.kind === 'done' ? 'done' : 'open'
    if (piece.kind === 'data') parts.push(Buffer.from(piece.bytes))
    if (piece.kind === 'hole') parts.push(Buffer.alloc(piece.lengthBytes))
  }
  if (state !== 'done') throw new Error('it never came to its end')
  return Buffer.concat(parts)
}
