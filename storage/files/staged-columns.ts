import type { ContentHash, RelPath } from '../base/index.js'
import { hashesIn, hashesToBytes } from '../content/index.js'
import type { StagedEntry } from './staging.js'

type StagedFile = Extract<StagedEntry, { kind: 'file' }>

/** The numbers of staged files, an entry each in every column. */
interface StagedNumbers {
  /** Two a file: where its bytes lie, and how many. */
  readonly ranges: Float64Array<ArrayBuffer>
  /** HASH_BYTES a file. */
  readonly hashes: Uint8Array<ArrayBuffer>
  readonly mtimesNs: BigInt64Array<ArrayBuffer>
  readonly modes: Uint16Array<ArrayBuffer>
  /** Which of these three are told of it: 1, 2 and 4. */
  readonly marks: Uint8Array<ArrayBuffer>
}

/** What is to be staged as columns: what crosses between threads and devices (see `StepColumns`). */
export interface StagedColumns extends StagedNumbers {
  readonly count: number
  /** Of the files, in their order, joined by NUL, which no path holds. */
  readonly paths: string
  /** What is no file, by its place in the list, in their order. */
  readonly others: readonly { readonly index: number; readonly entry: Exclude<StagedEntry, StagedFile> }[]
}

/** What is to be staged: one by one, or as it came from another device. */
export type StagedEntries = readonly StagedEntry[] | StagedColumns

const [HASHED, WITH_MODE, TIMED] = [1, 2, 4]
/** All of them. */
export const STAGED_MARKS = 7

const stagedNumbers = (files: number) => ({
  ranges: new Float64Array(2 * files),
  mtimesNs: new BigInt64Array(files),
  modes: new Uint16Array(files),
  marks: new Uint8Array(files)
})

/** What is in columns already stays as it is. */
export function toStagedColumns(entries: StagedEntries): StagedColumns {
  if ('count' in entries) return entries
  const files: StagedFile[] = []
  const others: { index: number; entry: Exclude<StagedEntry, StagedFile> }[] = []
  for (const [index, entry] of entries.entries()) {
    if (entry.kind === 'file') files.push(entry)
    else others.push({ index, entry })
  }
  const numbers = stagedNumbers(files.length)
  const { ranges, mtimesNs, modes, marks } = numbers
  for (const [i, { offset, length, hash, mode, mtimeNs }] of files.entries()) {
    ranges[2 * i] = offset
    ranges[2 * i + 1] = length
    mtimesNs[i] = mtimeNs ?? 0n
    modes[i] = mode ?? 0
    marks[i] =
      (hash === undefined ? 0 : HASHED) | (mode === undefined ? 0 : WITH_MODE) | (mtimeNs === undefined ? 0 : TIMED)
  }
  const hashes = hashesToBytes(files.map(file => file.hash))
  return { ...numbers, hashes, count: entries.length, paths: files.map(file => file.path).join('\0'), others }
}

export function fromStagedColumns({ count, paths, others, ...numbers }: StagedColumns): StagedEntry[] {
  const names = paths.split('\0') as RelPath[]
  const hashAt = hashesIn(numbers.hashes)
  const entries: StagedEntry[] = []
  let other = 0
  for (let file = 0; entries.length < count; ) {
    if (others[other]?.index === entries.length) entries.push(others[other++]!.entry)
    else entries.push(fileOf(names[file]!, numbers, hashAt, file++))
  }
  return entries
}

/** Tells each path, in the order of the list, without an object for each. */
export function eachStaged(
  { count, paths, others }: StagedColumns,
  tell: (path: RelPath, index: number, kind: StagedEntry['kind']) => void
): void {
  const names = paths.split('\0') as RelPath[]
  let other = 0
  for (let index = 0; index < count; index++) {
    const there = others[other]?.index === index ? others[other++]!.entry : undefined
    if (there === undefined) tell(names[index - other]!, index, 'file')
    else tell(there.path, index, there.kind)
  }
}

function fileOf(
  path: RelPath,
  { ranges, mtimesNs, modes, marks }: StagedNumbers,
  hashAt: (i: number) => ContentHash,
  i: number
): StagedFile {
  const told = marks[i]!
  const file: Writable<StagedFile> = { kind: 'file', path, offset: ranges[2 * i]!, length: ranges[2 * i + 1]! }
  if ((told & HASHED) !== 0) file.hash = hashAt(i)
  if ((told & WITH_MODE) !== 0) file.mode = modes[i]!
  if ((told & TIMED) !== 0) file.mtimeNs = mtimesNs[i]!
  return file
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }
