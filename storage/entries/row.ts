import { type ContentHash, type FileName, textFromBytes } from '../base/index.js'
import type { SqlValue } from '../sql/index.js'
import type { Entry } from './entry.js'
import { CONTENT_KINDS, ENTRY_KINDS } from './flags.js'

/** What a look at the disk saw of one name; the numbers as in the table. */
export interface Seen {
  name: Uint8Array
  kind: number
  /** By its name alone. */
  type: number
  size: number
  mtimeNs: bigint
  ctimeNs: bigint
  birthNs: bigint
  inode: bigint
  device: bigint
  mode: number
  /** Bits of SEEN_FLAGS. */
  flags: number
}

/** A row of `entries` inside this folder and the indexer: numbers as numbers, what can pass 2^53 as bigint. */
export interface EntryRow extends Seen {
  id: number
  parent: number
  content: number | null
  seq: number
  version: string | null
}

/** What tells whether a file may have been written to. The device's number is none of it: it changes with each mount. */
export function sameStat(row: EntryRow, seen: Seen): boolean {
  return (
    row.mtimeNs === seen.mtimeNs &&
    row.ctimeNs === seen.ctimeNs &&
    row.size === seen.size &&
    row.inode === seen.inode &&
    row.birthNs === seen.birthNs
  )
}

/** Assigned one by one: spreading two such objects into a third took longer than writing the row. */
export function takeStat(row: EntryRow, seen: Seen): void {
  row.size = seen.size
  row.mtimeNs = seen.mtimeNs
  row.ctimeNs = seen.ctimeNs
  row.birthNs = seen.birthNs
  row.inode = seen.inode
  row.device = seen.device
  row.mode = seen.mode
}

/** The columns in the order of `rowOf`; selected with `{ raw: true, bigint: true }`. */
export const COLUMNS =
  'id, parent, name, kind, type, size, mtime_ns, ctime_ns, birth_ns, inode, device, mode, flags, content, seq, version'

/** The same for a table with another name before the dot. */
export const columnsOf = (table: string): string =>
  COLUMNS.split(', ')
    .map(c => `${table}.${c}`)
    .join(', ')

export function rowOf(raw: readonly SqlValue[]): EntryRow {
  return {
    id: Number(raw[0]),
    parent: Number(raw[1]),
    name: raw[2] as Uint8Array,
    kind: Number(raw[3]),
    type: Number(raw[4]),
    size: Number(raw[5]),
    mtimeNs: raw[6] as bigint,
    ctimeNs: raw[7] as bigint,
    birthNs: raw[8] as bigint,
    inode: raw[9] as bigint,
    device: raw[10] as bigint,
    mode: Number(raw[11]),
    flags: Number(raw[12]),
    content: raw[13] === null ? null : Number(raw[13]),
    seq: Number(raw[14]),
    version: raw[15] as string | null
  }
}

/** @param hash - of its content identity, when it has one */
export function entryOf(row: EntryRow, hash: Uint8Array | null): Entry {
  return {
    id: row.id,
    parent: row.parent,
    name: textFromBytes(row.name) as FileName,
    kind: ENTRY_KINDS[row.kind] ?? 'other',
    type: CONTENT_KINDS[row.type] ?? 'unknown',
    sizeBytes: row.size,
    mtimeNs: row.mtimeNs,
    ctimeNs: row.ctimeNs,
    birthNs: row.birthNs,
    inode: row.inode,
    device: row.device,
    mode: row.mode,
    flags: row.flags,
    hash: hash === null ? null : (Buffer.from(hash).toString('hex') as ContentHash),
    seq: row.seq,
    version: parseVersion(row.version)
  }
}

/** A version as stored: JSON of `replicas` numbers to counters. */
export function parseVersion(text: string | null): Readonly<Record<string, number>> | null {
  return text === null ? null : (JSON.parse(text) as Record<string, number>)
}

/** A key for a Map: the bytes of a name, one character each. */
export const nameKey = (name: Uint8Array): string =>
  Buffer.from(name.buffer, name.byteOffset, name.byteLength).toString('latin1')
