import type { Problem, RelPath } from '../../storage/base/index.js'
import type { EntryStat } from '../../storage/files/index.js'
import type { TreeEntry, UnknownReason } from './entry.js'

/**
 * A page of entries as columns: what crosses between threads. A few buffers are handed over instead of thousands of objects
 * being copied, which takes a tenth of the time.
 */
export interface EntryColumns {
  readonly count: number
  /** Joined by NUL, which no path holds. */
  readonly paths: string
  readonly kinds: Uint8Array<ArrayBuffer>
  readonly sizes: Float64Array<ArrayBuffer>
  /** Three an entry: mtime, ctime, birth. */
  readonly timesNs: BigInt64Array<ArrayBuffer>
  /** Three an entry: device, inode, mount. */
  readonly ids: BigUint64Array<ArrayBuffer>
  /** Four an entry: mode, links, uid, gid. */
  readonly numbers: Uint32Array<ArrayBuffer>
  /** Bytes on the disk; -1 where it is not known. */
  readonly allocated: Float64Array<ArrayBuffer>
  /** What few entries have. */
  readonly extras: readonly EntryExtras[]
}

interface EntryExtras {
  readonly index: number
  readonly target?: string | undefined
  readonly unknown?: UnknownReason | undefined
  readonly problem?: Problem | undefined
}

/** No group has this number: it is what `chown` takes for "leave it". */
const NO_GROUP = 0xffffffff
/** In the order of ENTRY_KINDS of storage/entries: their numbers are the same. */
const KINDS = ['file', 'directory', 'symlink', 'other'] as const

export function toColumns(entries: readonly TreeEntry[]): EntryColumns {
  const columns = new ColumnsBuilder(entries.length)
  for (const entry of entries) columns.add(entry)
  return columns.finish()
}

/** Fills columns entry by entry, without an object for each. */
export class ColumnsBuilder {
  readonly #paths: string[] = []
  readonly #kinds: Uint8Array<ArrayBuffer>
  readonly #sizes: Float64Array<ArrayBuffer>
  readonly #timesNs: BigInt64Array<ArrayBuffer>
  readonly #ids: BigUint64Array<ArrayBuffer>
  readonly #numbers: Uint32Array<ArrayBuffer>
  readonly #allocated: Float64Array<ArrayBuffer>
  readonly #extras: EntryExtras[] = []

  /** @param room - entries at most */
  constructor(room: number) {
    this.#kinds = new Uint8Array(room)
    this.#sizes = new Float64Array(room)
    this.#timesNs = new BigInt64Array(3 * room)
    this.#ids = new BigUint64Array(3 * room)
    this.#numbers = new Uint32Array(4 * room)
    this.#allocated = new Float64Array(room)
  }

  get count(): number {
    return this.#paths.length
  }

  add({ path, stat, target, unknown, problem }: TreeEntry): void {
    const index = this.#paths.length
    const { gid = NO_GROUP, allocatedBytes = -1 } = stat
    this.#put(path, KINDS.indexOf(stat.kind), stat.sizeBytes, stat)
    this.#ids[3 * index + 2] = stat.mount
    const at = 4 * index
    this.#numbers[at] = stat.mode
    this.#numbers[at + 1] = stat.links
    this.#numbers[at + 2] = stat.uid
    this.#numbers[at + 3] = gid
    this.#allocated[index] = allocatedBytes
    if (target !== undefined || unknown !== undefined) this.#extras.push({ index, target, unknown, problem })
  }

  /** What an index keeps of an entry: no links, no owner. */
  addIndexed(path: string, kind: number, sizeBytes: number, mode: number, ids: StatIds): void {
    const index = this.#paths.length
    this.#put(path, kind, sizeBytes, ids)
    this.#numbers[4 * index] = mode
    this.#numbers[4 * index + 3] = NO_GROUP
    this.#allocated[index] = -1
  }

  finish(): EntryColumns {
    return {
      ...{ count: this.count, paths: this.#paths.join('\0'), kinds: this.#kinds, sizes: this.#sizes },
      ...{ timesNs: this.#timesNs, ids: this.#ids, numbers: this.#numbers, allocated: this.#allocated },
      extras: this.#extras
    }
  }

  #put(path: string, kind: number, sizeBytes: number, { mtimeNs, ctimeNs, birthNs, device, inode }: StatIds): void {
    const index = this.#paths.length
    this.#paths.push(path)
    this.#kinds[index] = kind
    this.#sizes[index] = sizeBytes
    const at = 3 * index
    this.#timesNs[at] = mtimeNs
    this.#timesNs[at + 1] = ctimeNs
    this.#timesNs[at + 2] = birthNs
    this.#ids[at] = device
    this.#ids[at + 1] = inode
  }
}

export type StatIds = Pick<EntryStat, 'mtimeNs' | 'ctimeNs' | 'birthNs' | 'device' | 'inode'>

export function fromColumns(columns: EntryColumns): TreeEntry[] {
  const { count, paths, kinds, sizes, timesNs, ids, numbers, allocated, extras } = columns
  const names = paths.split('\0') as RelPath[]
  const entries: TreeEntry[] = []
  for (let i = 0, at = 0; i < count; i++, at += 3) {
    const stat: EntryStat = {
      kind: KINDS[kinds[i]!]!,
      sizeBytes: sizes[i]!,
      mtimeNs: timesNs[at]!,
      ctimeNs: timesNs[at + 1]!,
      birthNs: timesNs[at + 2]!,
      device: ids[at]!,
      inode: ids[at + 1]!,
      mount: ids[at + 2]!,
      mode: numbers[4 * i]!,
      links: numbers[4 * i + 1]!,
      uid: numbers[4 * i + 2]!,
      ...(numbers[4 * i + 3] !== NO_GROUP && { gid: numbers[4 * i + 3]! }),
      ...(allocated[i]! >= 0 && { allocatedBytes: allocated[i]! })
    }
    entries.push({ path: names[i]!, stat })
  }
  for (const { index, target, unknown, problem } of extras) {
    entries[index] = {
      ...entries[index]!,
      ...(target !== undefined && { target }),
      ...(unknown !== undefined && { unknown }),
      ...(problem !== undefined && { problem })
    }
  }
  return entries
}

/** The buffers that change hands. */
export const buffersOf = ({ kinds, sizes, timesNs, ids, numbers, allocated }: EntryColumns): ArrayBuffer[] => [
  kinds.buffer,
  sizes.buffer,
  timesNs.buffer,
  ids.buffer,
  numbers.buffer,
  allocated.buffer
]
