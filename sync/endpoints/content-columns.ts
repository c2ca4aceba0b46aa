/** Entries with their content as columns: see `EntryColumns`. */
import type { ContentHash, RelPath } from '../../storage/base/index.js'
import { hashFromBytes, hashToBytes } from '../../storage/content/index.js'
import type { EntryStat } from '../../storage/files/index.js'
import { buffersOf, type EntryColumns, fromColumns, toColumns } from './columns.js'

/** A thing, and what is known of its content. */
export interface ContentEntry {
  readonly path: RelPath
  readonly stat: EntryStat
  readonly hash?: ContentHash | undefined
  /** Of a link. */
  readonly target?: string | undefined
  /** The stat does not vouch for the hash later on. */
  readonly racy?: boolean | undefined
}

export interface ContentColumns {
  readonly entries: EntryColumns
  /** `HASH_BYTES` an entry. */
  readonly hashes: Uint8Array<ArrayBuffer>
  /** HASHED and RACY, an entry each. */
  readonly marks: Uint8Array<ArrayBuffer>
}

const HASH_BYTES = 32
const [HASHED, RACY] = [1, 2]

export function toContentColumns(list: readonly ContentEntry[]): ContentColumns {
  const hashes = new Uint8Array(HASH_BYTES * list.length)
  const marks = new Uint8Array(list.length)
  for (const [i, { hash, racy }] of list.entries()) {
    if (hash !== undefined) hashes.set(hashToBytes(hash), HASH_BYTES * i)
    marks[i] = (hash === undefined ? 0 : HASHED) | (racy === true ? RACY : 0)
  }
  return { entries: toColumns(list), hashes, marks }
}

export function fromContentColumns(columns: ContentColumns): ContentEntry[] {
  return fromColumns(columns.entries).map(({ path, stat, target }, i) => {
    const hash = hashIn(columns, i)
    return { path, stat, target, racy: isRacyIn(columns, i), hash: hash && hashFromBytes(hash) }
  })
}

/** The hash of an entry, where it is known. */
export function hashIn({ hashes, marks }: ContentColumns, index: number): Uint8Array | undefined {
  if ((marks[index]! & HASHED) === 0) return undefined
  return hashes.subarray(HASH_BYTES * index, HASH_BYTES * (index + 1))
}

export const isRacyIn = ({ marks }: ContentColumns, index: number): boolean => (marks[index]! & RACY) !== 0

/** The buffers that change hands. */
export const contentBuffersOf = ({ entries, hashes, marks }: ContentColumns): ArrayBuffer[] => [
  ...buffersOf(entries),
  hashes.buffer,
  marks.buffer
]
