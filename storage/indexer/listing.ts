import { opendirSync, readdirSync } from 'node:fs'
import { fsPath, pathBytes, textFromBytes } from '../base/index.js'
import { nameKey } from '../entries/index.js'
import type { NameRange } from './batch.js'

/** A directory file of this size is listed piece by piece (1 MiB: 30,000 names and more on ext4). */
const HUGE_DIRECTORY_BYTES = 1024n * 1024n
/** Names of one part of a huge directory: some 40 ms of a thread that looks at them, and as much of the writer. */
export const PART_NAMES = 8_192
const OPENDIR_BUFFER = 1_024

/** A stretch of the names of a huge directory. */
export interface Part {
  /** The names as bytes, separated by NUL: as strings they would hold up the event loop on their way. */
  readonly packed: Uint8Array
  readonly range: NameRange
}

/**
 * The names in a directory, exactly: those that are not UTF-8 by their bytes.
 * @param directoryBytes - size of the directory file
 */
export function listNames(path: string, directoryBytes: bigint): string[] {
  if (directoryBytes > HUGE_DIRECTORY_BYTES) return listSlowly(path)
  const names = readdirSync(fsPath(path), 'utf8')
  // U+FFFD stands for bytes that are no UTF-8 (or for itself): read again as bytes.
  if (!names.some(name => name.includes('\ufffd'))) return names
  return readdirSync(fsPath(path), { encoding: 'buffer' }).map(textFromBytes)
}

/** The same for a huge one, without holding all of it in the form the system call gives. */
function listSlowly(path: string): string[] {
  const names: string[] = []
  const dir = opendirSync(fsPath(path) as string, { encoding: 'buffer' as BufferEncoding, bufferSize: OPENDIR_BUFFER })
  try {
    for (let entry = dir.readSync(); entry !== null; entry = dir.readSync())
      names.push(textFromBytes(entry.name as unknown as Buffer))
  } finally {
    dir.closeSync()
  }
  return names
}

/** Parts of a listing too long for one slice, in the order of their bytes; together their ranges hold every possible name. */
export function inParts(names: readonly string[]): Part[] | undefined {
  if (names.length <= 2 * PART_NAMES) return undefined
  const sorted = sortByBytes(names)
  const parts: Part[] = []
  let from: Uint8Array | null = null
  for (let first = 0; first < sorted.length; first += PART_NAMES) {
    const next = sorted[first + PART_NAMES]
    const to: Uint8Array | null = next === undefined ? null : pathBytes(next)
    const packed = pathBytes(sorted.slice(first, first + PART_NAMES).join('\0'))
    parts.push({ packed, range: { from, to } })
    from = to
  }
  return parts
}

export const unpack = (packed: Uint8Array): string[] => textFromBytes(packed).split('\0')

/** As SQLite orders them. Strings order by their 16-bit units, which is the same up to U+D7FF. */
function sortByBytes(names: readonly string[]): string[] {
  if (!names.some(name => HIGH.test(name))) return [...names].sort()
  return names
    .map(name => ({ name, key: nameKey(pathBytes(name)) }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ name }) => name)
}

const HIGH = /[\ud800-\uffff]/
