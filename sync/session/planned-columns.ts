/** Things as plans know them, as columns (see `StatColumns`): so rows are kept, and so operations stand in the file of a plan. */
import type { ContentHash, RelPath } from '../../storage/base/index.js'
import { HASH_BYTES, hashFromBytes, hashToBytes } from '../../storage/content/index.js'
import type { Expected } from '../../storage/files/index.js'
import {
  type Entry,
  type Identity,
  isPresent,
  isUnread,
  type Present,
  unreadContent,
  type Version
} from '../reconcile/index.js'
import { signed } from './seen.js'

/** What a plan carries of a thing besides what it compares: handed back as `expected`. */
export type Planned = Present & { readonly at: RelPath; readonly stat: Expected }

export interface PlannedColumns {
  /** Of each place; the other columns have what is a file, a link or a directory alone, one after the other. */
  readonly kinds: Uint8Array<ArrayBuffer>
  /** PROVEN and UNREAD. */
  readonly marks: Uint8Array<ArrayBuffer>
  readonly modes: Uint16Array<ArrayBuffer>
  readonly sizes: Float64Array<ArrayBuffer>
  /** Four each: mtime, ctime, birth, inode. */
  readonly numbers: BigInt64Array<ArrayBuffer>
  /** Of files that were read. */
  readonly hashes: Uint8Array<ArrayBuffer>
  /** By their places: where links lead, what a thing has seen, and what is none of these kinds or is called otherwise than its place. */
  readonly targets: ReadonlyMap<number, string>
  readonly versions: ReadonlyMap<number, Version>
  readonly others: ReadonlyMap<number, Entry>
}

const KINDS = ['file', 'directory', 'symlink'] as const
/** After the kinds: there is none there; it is one of the others. */
const [NOTHING, OTHER] = [3, 4]
/** Inode and birth time prove which thing it is; nobody has read its content. */
const [PROVEN, UNREAD] = [1, 2]
const NUMBERS = 4

/** Its stat, all of it: where an identity proves anything, it is the one in here. */
export interface KnownStat extends Expected {
  readonly kind: Present['kind']
  readonly sizeBytes: number
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
  readonly birthNs: bigint
  readonly inode: bigint
}

/** @param paths - of each place: what its thing is called, with few exceptions */
export function toPlannedColumns(entries: readonly (Entry | undefined)[], paths: readonly RelPath[]): PlannedColumns {
  const kinds = new Uint8Array(entries.length)
  const others = new Map<number, Entry>()
  const plain: Planned[] = []
  const [targets, versions] = [new Map<number, string>(), new Map<number, Version>()]
  let hashed = 0
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i]
    if (!isPlain(entry, paths[i]!)) {
      kinds[i] = entry === undefined ? NOTHING : OTHER
      if (entry !== undefined) others.set(i, entry)
      continue
    }
    plain.push(entry)
    kinds[i] = KINDS.indexOf(entry.kind)
    if (entry.kind === 'file' && !isUnread(entry.hash)) hashed++
    if (entry.kind === 'symlink') targets.set(i, entry.target)
    if (entry.version !== undefined) versions.set(i, entry.version)
  }
  const { length } = plain
  const [marks, modes, sizes] = [new Uint8Array(length), new Uint16Array(length), new Float64Array(length)]
  const [numbers, hashes] = [new BigInt64Array(NUMBERS * length), new Uint8Array(HASH_BYTES * hashed)]
  let hashesAt = 0
  for (let i = 0; i < length; i++) {
    const entry = plain[i]!
    const stat = entry.stat as KnownStat
    if (entry.identity !== undefined) marks[i] = PROVEN
    modes[i] = entry.mode
    sizes[i] = stat.sizeBytes
    const at = NUMBERS * i
    numbers[at] = stat.mtimeNs
    numbers[at + 1] = stat.ctimeNs
    numbers[at + 2] = stat.birthNs
    numbers[at + 3] = signed(stat.inode)
    if (entry.kind !== 'file') continue
    if (isUnread(entry.hash)) marks[i]! |= UNREAD
    else {
      hashes.set(hashToBytes(entry.hash), hashesAt)
      hashesAt += HASH_BYTES
    }
  }
  return { kinds, marks, modes, sizes, numbers, hashes, targets, versions, others }
}

const isPlain = (entry: Entry | undefined, path: RelPath): entry is Planned =>
  isPresent(entry) && (entry as Planned).at === path

/** @param paths - the same as they were made of */
export function fromPlannedColumns(columns: PlannedColumns, paths: readonly RelPath[]): (Entry | undefined)[] {
  const { kinds, marks, modes, sizes, numbers, hashes, targets, versions, others } = columns
  const entries: (Entry | undefined)[] = []
  let [n, hashesAt] = [0, 0]
  for (let i = 0; i < kinds.length; i++) {
    if (kinds[i]! >= NOTHING) {
      entries.push(others.get(i))
      continue
    }
    const kind = KINDS[kinds[i]!]!
    const [mark, first] = [marks[n]!, NUMBERS * n]
    const [mtimeNs, ctimeNs, birthNs] = [numbers[first]!, numbers[first + 1]!, numbers[first + 2]!]
    const inode = BigInt.asUintN(64, numbers[first + 3]!)
    const seen: KnownStat = { kind, sizeBytes: sizes[n]!, mtimeNs, ctimeNs, birthNs, inode }
    let hash: ContentHash | undefined
    if ((mark & UNREAD) !== 0) hash = unreadContent(inode, ctimeNs)
    else if (kind === 'file') {
      hash = hashFromBytes(hashes.subarray(hashesAt, hashesAt + HASH_BYTES))
      hashesAt += HASH_BYTES
    }
    const entry = plannedOf(seen, { mode: modes[n]!, at: paths[i]!, hash, target: targets.get(i) })
    if ((mark & PROVEN) !== 0) entry.identity = { inode, birthNs }
    const version = versions.get(i)
    if (version !== undefined) entry.version = version
    entries.push(entry)
    n++
  }
  return entries
}

type Made = Planned & { identity?: Identity | undefined; version?: Version | undefined }

/** @param content - of a file its hash, of a link where it leads */
export function plannedOf(stat: KnownStat, { mode, at, hash, target }: Pick<Planned, 'mode' | 'at'> & Content): Made {
  const { kind, sizeBytes, mtimeNs } = stat
  if (kind === 'file') return { kind, hash: hash!, sizeBytes, mtimeNs, mode, at, stat }
  if (kind === 'symlink') return { kind, target: target!, mtimeNs, mode, at, stat }
  return { kind, mtimeNs, mode, at, stat }
}

interface Content {
  readonly hash: ContentHash | undefined
  readonly target: string | undefined
}
