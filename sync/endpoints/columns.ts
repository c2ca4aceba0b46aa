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
const KINDS = ['file', 'directory', 'symlink', 'other'] as const

export function toColumns(entries: readonly TreeEntry[]): EntryColumns {
  const count = entries.length
  const kinds = new Uint8Array(count)
  const sizes = new Float64Array(count)
  const timesNs = new BigInt64Array(3 * count)
  const ids = new BigUint64Array(3 * count)
  const numbers = new Uint32Array(4 * count)
  const allocated = new Float64Array(count)
  const extras: EntryExtras[] = []
  for (let i = 0, at = 0; i < count; i++, at += 3) {
    const { stat, target, unknown, problem } = entries[i]!
    kinds[i] = KINDS.indexOf(stat.kind)
    sizes[i] = stat.sizeBytes
    timesNs[at] = stat.mtimeNs
    timesNs[at + 1] = stat.ctimeNs
    timesNs[at + 2] = stat.birthNs
    ids[at] = stat.device
    ids[at + 1] = stat.inode
    ids[at + 2] = stat.mount
    numbers.set([stat.mode, stat.links, stat.uid, stat.gid ?? NO_GROUP], 4 * i)
    allocated[i] = stat.allocatedBytes ?? -1
    if (target !== undefined || unknown !== undefined) extras.push({ index: i, target, unknown, problem })
  }
  return { count, paths: entries.map(e => e.path).join('\0'), kinds, sizes, timesNs, ids, numbers, allocated, extras }
}

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
