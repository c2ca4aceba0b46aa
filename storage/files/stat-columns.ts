import type { EntryStat } from './fingerprint.js'

/**
 * Stats as columns: what crosses between threads. A few buffers are handed over instead of thousands of objects being copied,
 * which takes a tenth of the time.
 */
export interface StatColumns {
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
}

/** No group has this number: it is what `chown` takes for "leave it". */
const NO_GROUP = 0xffffffff
/** In the order of ENTRY_KINDS of storage/entries: their numbers are the same. */
const KINDS = ['file', 'directory', 'symlink', 'other'] as const

/** @param room - entries at most */
export const statColumns = (room: number): StatColumns => ({
  kinds: new Uint8Array(room),
  sizes: new Float64Array(room),
  timesNs: new BigInt64Array(3 * room),
  ids: new BigUint64Array(3 * room),
  numbers: new Uint32Array(4 * room),
  allocated: new Float64Array(room)
})

export function putStat(columns: StatColumns, index: number, stat: EntryStat): void {
  const { kinds, sizes, timesNs, ids, numbers, allocated } = columns
  const { gid = NO_GROUP, allocatedBytes = -1 } = stat
  kinds[index] = KINDS.indexOf(stat.kind)
  sizes[index] = stat.sizeBytes
  const at = 3 * index
  timesNs[at] = stat.mtimeNs
  timesNs[at + 1] = stat.ctimeNs
  timesNs[at + 2] = stat.birthNs
  ids[at] = stat.device
  ids[at + 1] = stat.inode
  ids[at + 2] = stat.mount
  numbers[4 * index] = stat.mode
  numbers[4 * index + 1] = stat.links
  numbers[4 * index + 2] = stat.uid
  numbers[4 * index + 3] = gid
  allocated[index] = allocatedBytes
}

export function statIn({ kinds, sizes, timesNs, ids, numbers, allocated }: StatColumns, index: number): EntryStat {
  const at = 3 * index
  const gid = numbers[4 * index + 3]!
  return {
    kind: KINDS[kinds[index]!]!,
    sizeBytes: sizes[index]!,
    mtimeNs: timesNs[at]!,
    ctimeNs: timesNs[at + 1]!,
    birthNs: timesNs[at + 2]!,
    device: ids[at]!,
    inode: ids[at + 1]!,
    mount: ids[at + 2]!,
    mode: numbers[4 * index]!,
    links: numbers[4 * index + 1]!,
    uid: numbers[4 * index + 2]!,
    ...(gid !== NO_GROUP && { gid }),
    ...(allocated[index]! >= 0 && { allocatedBytes: allocated[index]! })
  }
}

/** The buffers that change hands. */
export const statBuffers = ({ kinds, sizes, timesNs, ids, numbers, allocated }: StatColumns): ArrayBuffer[] => [
  kinds.buffer,
  sizes.buffer,
  timesNs.buffer,
  ids.buffer,
  numbers.buffer,
  allocated.buffer
]
