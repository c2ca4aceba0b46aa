import { errorCode, type RelPath, SpacedriveError } from '../base/index.js'
import { type DirHandle, type Disk, findStat } from './disk.js'
import type { EntryKind, EntryStat, Expected } from './fingerprint.js'

/**
 * The journal of a staging place: groups of moves that happen all or not at all, durable before the first of them. Paths are
 * relative to the root. It stays until the staging place goes, so that who asks again learns what became of it.
 */
export interface Journal {
  /** `drop`: a whole staged tree got its names (`Staging.moveInto`), and what the person moved on since is theirs. */
  readonly purpose: 'drop' | 'group'
  readonly groups: readonly Group[]
  /** What lies beside its target because a rename crosses a boundary there. */
  readonly temps?: readonly Temp[]
  /** Everything happened and is durable: recovery leaves it alone, whatever lies there by now. */
  readonly completed?: boolean
}

export interface Group {
  readonly moves: readonly Move[]
}

/** A file of ours in a person's folder, under a name that every scan skips. */
export interface Temp {
  readonly path: RelPath
  /** It is what lay at `path` before, on its way to `aside`; else a copy of something staged, which nobody misses. */
  readonly old?: { readonly path: RelPath; readonly aside: RelPath }
}

/** One rename that replaces nothing. */
export interface Move {
  readonly from: RelPath
  readonly to: RelPath
  /** What it moves, as it was seen before: recovery tells by it how far the group came. */
  readonly seen: Seen
  /** What the plan expected there; not so once it has moved: the group is taken back. */
  readonly expected?: Expected | undefined
  /** Set after the move; of directories. */
  readonly mode?: number | undefined
  readonly mtimeNs?: bigint | undefined
}

export interface Seen {
  readonly kind: EntryKind
  readonly inode: bigint
  /** An inode number alone is used again. */
  readonly birthNs: bigint
  readonly sizeBytes: number
  readonly mtimeNs: bigint
}

const JOURNAL_NAME = 'journal'
const NEW_NAME = 'journal.new'
/** Far above any batch (1,000 files): whoever put more there, it was not us. */
const MAX_JOURNAL_BYTES = 64 * 1024 * 1024

export const seen = ({ kind, inode, birthNs, sizeBytes, mtimeNs }: EntryStat): Seen => ({
  kind,
  inode,
  birthNs,
  sizeBytes,
  mtimeNs
})

/** Durable on return. Replaces the one before. */
export function writeJournal(disk: Disk, place: DirHandle, journal: Journal): void {
  removeHalfJournal(disk, place)
  const fd = disk.open(place, NEW_NAME, 'create')
  try {
    disk.write(fd, Buffer.from(JSON.stringify({ version: 1, ...journal }, numbers)), 0)
    disk.sync(fd)
  } finally {
    disk.close(fd)
  }
  disk.rename(place, NEW_NAME, place, JOURNAL_NAME, 'replace')
  disk.sync(place)
}

/** One that never got its name: a crash cut it off, and nothing stands on it. */
export function removeHalfJournal(disk: Disk, place: DirHandle): void {
  if (findStat(disk, place, NEW_NAME) !== undefined) disk.unlink(place, NEW_NAME)
}

export function removeJournal(disk: Disk, place: DirHandle): void {
  disk.unlink(place, JOURNAL_NAME)
  disk.sync(place)
}

/** @throws {SpacedriveError} JOURNAL_DAMAGED: it was whole when it got its name, so the disk (or somebody) changed it */
export function readJournal(disk: Disk, place: DirHandle): Journal | undefined {
  let fd: number
  try {
    fd = disk.open(place, JOURNAL_NAME, 'read')
  } catch (err) {
    if (errorCode(err) === 'ENOENT') return undefined
    throw err
  }
  try {
    const { sizeBytes } = disk.stat(fd)
    if (sizeBytes > MAX_JOURNAL_BYTES) throw new Error(`it holds ${sizeBytes} bytes`)
    const bytes = Buffer.alloc(sizeBytes)
    for (let n = 0; n < sizeBytes; ) {
      const got = disk.read(fd, bytes.subarray(n), n)
      if (got === 0) throw new Error('it ends early')
      n += got
    }
    const journal = JSON.parse(bytes.toString(), bigints) as Journal & { version: number }
    if (journal.version !== 1 || !Array.isArray(journal.groups)) throw new Error('unknown version')
    return journal
  } catch (cause) {
    throw new SpacedriveError('JOURNAL_DAMAGED', `could not read the journal in ${place.path}: ${String(cause)}`, {
      cause,
      hint: 'Look at what lies in that folder, put it where it belongs, then remove the folder.'
    })
  } finally {
    disk.close(fd)
  }
}

/** bigints travel as text and are told by their key. */
const numbers = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? value.toString() : value)
const BIGINT_KEYS = new Set(['inode', 'birthNs', 'mtimeNs', 'ctimeNs'])
const bigints = (key: string, value: unknown): unknown =>
  BIGINT_KEYS.has(key) && typeof value === 'string' ? BigInt(value) : value
