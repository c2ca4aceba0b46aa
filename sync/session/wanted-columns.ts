/** Files that an end is to get, on their way to the thread that copies them: as columns (see `StatColumns`). */
import type { ContentHash, RelPath } from '../../storage/base/index.js'
import { HASH_BYTES, hashFromBytes, hashToBytes } from '../../storage/content/index.js'

/** A file that an end is to get. */
export interface FileWanted {
  /** Undefined: nobody has read it, so that it is to be what was seen, and its hash is learnt. */
  readonly hash: ContentHash | undefined
  readonly seen?: SeenThen | undefined
  readonly sizeBytes: number
  readonly mode: number
  readonly mtimeNs: bigint
  /** Where it lies: the first of these that has this content. */
  readonly from: readonly RelPath[]
  readonly staged: RelPath
}

/** What a scan saw of a file, besides its size. */
export interface SeenThen {
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
  readonly birthNs: bigint
  readonly inode: bigint
}

export interface WantedColumns {
  /** Joined by NUL, and those of one file by two of them: no path is empty or holds one. */
  readonly from: string
  readonly staged: string
  readonly hashes: Uint8Array<ArrayBuffer>
  readonly sizes: Float64Array<ArrayBuffer>
  readonly modes: Uint16Array<ArrayBuffer>
  /** Five each: the time that it gets; time, change, birth and inode that were seen. */
  readonly numbers: BigInt64Array<ArrayBuffer>
  /** Whether nobody has read it. */
  readonly unread: Uint8Array<ArrayBuffer>
}

export function toWantedColumns(files: readonly FileWanted[]): WantedColumns {
  const { length } = files
  const [hashes, sizes, modes] = [
    new Uint8Array(HASH_BYTES * length),
    new Float64Array(length),
    new Uint16Array(length)
  ]
  const [numbers, unread] = [new BigInt64Array(5 * length), new Uint8Array(length)]
  for (const [i, { hash, seen, sizeBytes, mode, mtimeNs }] of files.entries()) {
    if (hash === undefined) unread[i] = 1
    else hashes.set(hashToBytes(hash), HASH_BYTES * i)
    sizes[i] = sizeBytes
    modes[i] = mode
    numbers[5 * i] = mtimeNs
    if (seen === undefined) continue
    numbers[5 * i + 1] = seen.mtimeNs
    numbers[5 * i + 2] = seen.ctimeNs
    numbers[5 * i + 3] = seen.birthNs
    numbers[5 * i + 4] = BigInt.asIntN(64, seen.inode)
  }
  const from = files.map(file => file.from.join(NUL)).join(NUL + NUL)
  return { from, staged: files.map(file => file.staged).join(NUL), hashes, sizes, modes, numbers, unread }
}

export function fromWantedColumns({
  from,
  staged,
  hashes,
  sizes,
  modes,
  numbers,
  unread
}: WantedColumns): FileWanted[] {
  const names = staged.split(NUL) as RelPath[]
  return from.split(NUL + NUL).map((paths, i) => {
    const at = 5 * i
    const known = unread[i] === 0
    return {
      hash: known ? hashFromBytes(hashes.subarray(HASH_BYTES * i, HASH_BYTES * (i + 1))) : undefined,
      seen: known ? undefined : seenIn(numbers, at + 1),
      ...{ sizeBytes: sizes[i]!, mode: modes[i]!, mtimeNs: numbers[at]! },
      from: paths.split(NUL) as RelPath[],
      staged: names[i]!
    }
  })
}

/** The buffers that change hands. */
export const wantedBuffers = ({ hashes, sizes, modes, numbers, unread }: WantedColumns): ArrayBuffer[] => [
  ...[hashes.buffer, sizes.buffer, modes.buffer, numbers.buffer, unread.buffer]
]

const seenIn = (numbers: BigInt64Array, at: number): SeenThen => ({
  mtimeNs: numbers[at]!,
  ctimeNs: numbers[at + 1]!,
  birthNs: numbers[at + 2]!,
  inode: BigInt.asUintN(64, numbers[at + 3]!)
})

const NUL = '\0'
