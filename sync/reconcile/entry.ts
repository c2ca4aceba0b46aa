import type { ContentHash, RelPath } from '../../storage/base/index.js'
import type { Version } from './version.js'

/** One end of a sync. In a two-way sync the names only tell the ends apart. */
export type End = 'source' | 'destination'
export const ENDS = ['source', 'destination'] as const
export const ends = <T>(of: (end: End) => T): Record<End, T> => ({
  source: of('source'),
  destination: of('destination')
})
export const otherEnd = (end: End): End => (end === 'source' ? 'destination' : 'source')

/** Proof that a thing is the same thing under another name: inode *and* birth time, where the file system keeps both. */
export interface Identity {
  readonly inode: bigint
  readonly birthNs: bigint
}

/** What the last look at an end told of a thing. Values are handed on as they came, so more fields may travel with them. */
interface Seen {
  readonly mtimeNs: bigint
  /** Permission bits; only 0777 is compared and carried. */
  readonly mode: number
  /** Only where it proves something. */
  readonly identity?: Identity | undefined
  readonly version?: Version | undefined
}

export interface FileEntry extends Seen {
  readonly kind: 'file'
  readonly hash: ContentHash
  readonly sizeBytes: number
}

export interface SymlinkEntry extends Seen {
  readonly kind: 'symlink'
  /** As readlink tells it, never followed. */
  readonly target: string
}

export interface DirectoryEntry extends Seen {
  readonly kind: 'directory'
}

/** Something is there and must be left alone: never deleted, overwritten or taken for absent (SYNC.md 1). */
export interface UnknownEntry {
  readonly kind: 'unknown'
  readonly reason: 'unreadable' | 'special' | 'ignored' | 'other-file-system' | 'ours' | 'file-system'
  /** What lies below it is unknown too. */
  readonly directory?: boolean | undefined
}

/** Nothing is there, and the index remembers which deletion that was. Without a memory of it the end is left out of the row. */
export interface GoneEntry {
  readonly kind: 'gone'
  readonly version: Version
}

export type Leaf = FileEntry | SymlinkEntry
export type Present = Leaf | DirectoryEntry
export type Entry = Present | UnknownEntry | GoneEntry

/** What was read back at one end when both agreed. */
export interface Trace {
  readonly mtimeNs: bigint
  readonly mode: number
  readonly identity?: Identity | undefined
}

/** What came of an operation. */
export interface Outcome extends Trace {
  /** Of content that nobody had read when it was planned (see `unread.ts`). */
  readonly hash?: ContentHash | undefined
}

/** What a thing is, besides what an end shows of it. */
export type Content =
  | { readonly kind: 'file'; readonly hash: ContentHash; readonly sizeBytes: number }
  | { readonly kind: 'symlink'; readonly target: string }
  | { readonly kind: 'directory' }

/** What both ends agreed on, and how each of them showed it. */
export type ArchiveEntry = Content & {
  readonly source: Trace
  readonly destination: Trace
  /** A directory that stays at one end only for what is unknown in it. */
  readonly keptAt?: End | undefined
}

/** One path as the archive and both ends have it. */
export interface Row {
  readonly path: RelPath
  readonly base?: ArchiveEntry | undefined
  readonly source?: Entry | undefined
  readonly destination?: Entry | undefined
}

export const isPresent = (entry: Entry | undefined): entry is Present =>
  entry !== undefined && entry.kind !== 'unknown' && entry.kind !== 'gone'

export const isLeaf = (entry: Entry | undefined): entry is Leaf => entry?.kind === 'file' || entry?.kind === 'symlink'

export const isDirectory = (entry: Entry | ArchiveEntry | undefined): boolean => entry?.kind === 'directory'

/** Same kind, same bytes, same target. Directories are all alike. */
export function sameContent(a: Content, b: Content): boolean {
  if (a.kind === 'file') return b.kind === 'file' && a.hash === b.hash
  if (a.kind === 'symlink') return b.kind === 'symlink' && a.target === b.target
  return b.kind === 'directory'
}

export const versionOf = (entry: Entry | undefined): Version | undefined =>
  entry === undefined || entry.kind === 'unknown' ? undefined : entry.version

export const identityKey = (identity: Identity): string => `${identity.inode}.${identity.birthNs}`

export const sameIdentity = (a: Identity | undefined, b: Identity | undefined): boolean =>
  a !== undefined && b !== undefined && a.inode === b.inode && a.birthNs === b.birthNs
