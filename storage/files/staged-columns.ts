import type { RelPath } from '../base/index.js'
import { HASH_BYTES, hashFromBytes, hashToBytes } from '../content/index.js'
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

const stagedNumbers = (files: number): StagedNumbers => ({
  ranges: new Float64Array(2 * files),
  hashes: new Uint8Array(HASH_BYTES * files),
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
  const { ranges, hashes, mtimesNs, modes, marks } = numbers
  for (const [i, { offset, length, hash, mode, mtimeNs }] of files.entries()) {
    ranges[2 * i] = offset
    ranges[2 * i + 1] = length
    if (hash !== undefined) hashes.set(hashToBytes(hash), HASH_BYTES * i)
    mtimesNs[i] = mtimeNs ?? 0n
    modes[i] = mode ?? 0
    marks[i] =
      (hash === undefined ? 0 : HASHED) | (mode === undefined ? 0 : WITH_MODE) | (mtimeNs === undefined ? 0 : TIMED)
  }
  return { ...numbers, count: entries.length, paths: files.map(file => file.path).join('\0'), others }
}

export function fromStagedColumns({ count, paths, others, ...numbers }: StagedColumns): StagedEntry[] {
  const names = paths.split('\0') as RelPath[]
  const entries: StagedEntry[] = []
  let other = 0
  for (let file = 0; entries.length < count; ) {
    if (others[other]?.index === entries.length) entries.push(others[other++]!.entry)
    else entries.push(fileOf(names[file]!, numbers, file++))
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

function fileOf(path: RelPath, { ranges, hashes, mtimesNs, modes, marks }: StagedNumbers, i: number): StagedFile {
  const told = marks[i]!
  return {
    ...{ kind: 'file', path, offset: ranges[2 * i]!, length: ranges[2 * i + 1]! },
    ...((told & HASHED) !== 0 && { hash: hashFromBytes(hashes.subarray(HASH_BYTES * i, HASH_BYTES * (i + 1))) }),
    ...((told & WITH_MODE) !== 0 && { mode: modes[i]! }),
    ...((told & TIMED) !== 0 && { mtimeNs: mtimesNs[i]! })
  }
}
