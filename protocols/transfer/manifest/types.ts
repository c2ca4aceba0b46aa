/** What a manifest is, as values: the list of entries that one transfer moves, in a file of pages on disk. */
import type { AbsPath, ContentHash, FileName, Problem, RelPath } from '../../../storage/base/index.js'

export type EntryKind = 'file' | 'directory' | 'symlink'

/** One line of a manifest. `index` counts from 0 in the manifest's order, in which a directory stands before what it holds. */
export interface ManifestEntry {
  readonly index: number
  readonly path: RelPath
  readonly kind: EntryKind
  /** Bytes of content; 0 for what is not a file. */
  readonly sizeBytes: number
  /** Permission bits, 0 to 0o777: set-uid, set-gid and sticky are never carried. */
  readonly mode: number
  readonly mtimeNs: bigint
  /** Where a symlink points, exact (surrogate-escaped like a path); only for symlinks. */
  readonly target?: string
}

export interface ManifestTotals {
  readonly entries: number
  readonly files: number
  readonly directories: number
  readonly symlinks: number
  /** Content of all files, bytes. */
  readonly bytes: number
}

/**
 * A manifest on disk: a plain value, safe to hand to another thread and to remember as JSON. `hash` is BLAKE3 over its
 * pages, the same at both ends; accepting an offer means accepting that hash.
 */
export interface Manifest {
  readonly file: AbsPath
  readonly hash: ContentHash
  readonly totals: ManifestTotals
}

/** A manifest made here, with what could not be taken in (unreadable, special files, refused names), path by path. */
export interface BuiltManifest extends Manifest {
  readonly problems: readonly Problem[]
  /** All of them, also those beyond MAX_LISTED_PROBLEMS. */
  readonly problemCount: number
}

/** Something to send: a file, folder or link of this device, under its own name or another. */
export interface ManifestSource {
  readonly path: AbsPath
  /** Default: the last component of `path`. Two sources of one name become `name` and `name (2)`. */
  readonly name?: FileName
}

export interface BuildOptions {
  /** More end the walk with TOO_MANY_ENTRIES. */
  maxEntries?: number
  /** Deeper is a problem of that path (TOO_DEEP). */
  maxDepth?: number
  /**
   * `plain`: a name that is not UTF-8 or holds control characters is a problem of that path (NAME_REFUSED), as a Spacedrop
   * wants it; `any`: every name the disk holds (sync). Default `any`.
   */
  names?: 'any' | 'plain'
}

export type Selection = 'all' | Uint8Array

export interface ManifestStore {
  /**
   * Walks the sources in a worker and writes the manifest. Links are entries, never followed (a source that is a link itself
   * too). What cannot be read is a problem, the rest goes on.
   * @param options.onProgress - entries found so far, at most ten times a second
   * @throws {SpacedriveError} NOT_FOUND when a source does not exist, TOO_MANY_ENTRIES, NO_SPACE
   */
  build(
    sources: readonly ManifestSource[],
    options?: BuildOptions & { signal?: AbortSignal | undefined; onProgress?: (found: ManifestTotals) => void }
  ): Promise<BuiltManifest>
  /** The raw pages for the wire, each at most MAX_PAGE_BYTES. */
  pages(manifest: Manifest): AsyncIterable<Uint8Array>
  /**
   * Takes a manifest from a peer: each page is checked (form of every path, order, parents, counts) before the next is asked
   * for, and written. Nothing stays on disk when it throws.
   * @throws {SpacedriveError} MALFORMED naming what is wrong, TOO_MANY_ENTRIES, HASH_MISMATCH when `hash` is given and differs
   */
  take(
    pages: AsyncIterable<Uint8Array>,
    options?: BuildOptions & { hash?: ContentHash; signal?: AbortSignal | undefined }
  ): Promise<Manifest>
  /** The entries, a page at a time. */
  entries(manifest: Manifest): AsyncIterable<readonly ManifestEntry[]>
  /**
   * Which entries are wanted, as a bit for each (bit i of byte i >> 3). A directory that is not kept takes what it holds with
   * it unless something in it is kept: then it stays as its parent.
   */
  select(manifest: Manifest, keep: (entry: ManifestEntry) => boolean): Promise<Uint8Array>
  /** Totals of the entries selected. */
  totals(manifest: Manifest, selection: Selection): Promise<ManifestTotals>
  /** Removes the file (and what the sender keeps beside it). Not while a transfer of it runs. */
  discard(manifest: Manifest): Promise<void>
}
