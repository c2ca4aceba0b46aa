import type { ContentHash, Problem, RelPath } from '../../storage/base/index.js'
import { hashesIn, hashesToBytes } from '../../storage/content/index.js'
import { putStat, type StatColumns, statBuffers, statColumns, statIn } from '../../storage/files/index.js'
import type { PackedFile } from './content.js'

/** What is told of the files of a pack as columns: what crosses between threads and devices (see `EntryColumns`). */
export interface PackColumns {
  /** Of the paths asked for, the first so many. */
  readonly count: number
  readonly stats: StatColumns
  /** HASH_BYTES an entry. */
  readonly hashes: Uint8Array<ArrayBuffer>
  /** Of what could not be read, by its place, in their order. The others lie in the pack one behind the other. */
  readonly problems: readonly { readonly index: number; readonly problem: Problem }[]
}

export function toPackColumns(files: readonly PackedFile[]): PackColumns {
  const stats = statColumns(files.length)
  const problems: { index: number; problem: Problem }[] = []
  for (const [index, file] of files.entries()) {
    if (file.problem !== undefined) {
      problems.push({ index, problem: file.problem })
      continue
    }
    putStat(stats, index, file.stat)
  }
  return { count: files.length, stats, hashes: hashesToBytes(files.map(hashOf)), problems }
}

/** @param paths - that were asked for */
export function fromPackColumns(
  paths: readonly RelPath[],
  { count, stats, hashes, problems }: PackColumns
): PackedFile[] {
  const files: PackedFile[] = []
  const hashAt = hashesIn(hashes)
  let offset = 0
  let next = 0
  for (let i = 0; i < count; i++) {
    const path = paths[i]!
    if (problems[next]?.index === i) {
      files.push({ path, problem: problems[next++]!.problem })
      continue
    }
    const stat = statIn(stats, i)
    const length = stat.sizeBytes
    files.push({ path, offset, length, hash: hashAt(i), stat })
    offset += length
  }
  return files
}

const hashOf = (file: PackedFile): ContentHash | undefined => (file.problem === undefined ? file.hash : undefined)

/** The buffers that change hands. */
export const packBuffersOf = ({ stats, hashes }: PackColumns): ArrayBuffer[] => [...statBuffers(stats), hashes.buffer]
