import type { AbortOptions, AbsPath, LibraryId, PlainError, Startable } from '../base/index.js'
import type { Generation } from '../entries/index.js'
import type { Database } from '../sql/index.js'
import type { CheckReport } from './libraries.worker.js'

/** An open library. Writes go through `database.write` (writer thread), long reads through tasks in the pool. */
export interface Library {
  readonly id: LibraryId
  readonly name: string
  /** The folder. The database file is `database.file`. */
  readonly path: AbsPath
  readonly kind: 'portable' | 'own'
  readonly database: Database
  /** Row of `hosts` that stands for this device here: only locations with this host are ours to touch. */
  readonly host: number
  /**
   * The index as it is now. `durable`: first makes sure that a power loss cannot take back what it counts; for whoever
   * commits it elsewhere (the archive of a sync).
   */
  generation(options?: { durable?: boolean }): Promise<Generation>
  /** The greatest seq that the next write may use. More is reserved in the instance database long before it runs out. */
  reserveSeq(): Promise<number>
  statistics(): Promise<LibraryStatistics>
  /** Integrity of the whole database. One that fails gets a new index id: whoever followed it compares everything. */
  check(options?: { quick?: boolean }): Promise<CheckReport>
  /** A consistent copy in `backups/`. @returns its path */
  backup(): Promise<AbsPath>
  /**
   * Drops what nobody needs any more and lets SQLite look to its statistics; `vacuum` also gives free space back. The
   * library manager does it once a day.
   */
  maintain(options?: AbortOptions & { vacuum?: boolean }): Promise<void>
}

export interface LibraryStatistics {
  readonly files: number
  readonly directories: number
  readonly bytes: number
  readonly contents: number
  readonly locations: number
  readonly tags: number
  readonly databaseBytes: number
}

export interface LibraryInfo {
  readonly id: LibraryId
  readonly name: string
  readonly path: AbsPath
  readonly open: boolean
  readonly current: boolean
  /** Known, but its folder is not there now. */
  readonly missing: boolean
  /** Why it could not be opened at the start, with what to do. */
  readonly problem?: PlainError
}

export interface RebuildReport {
  readonly library: LibraryId
  readonly path: AbsPath
  /** The damaged database, kept. */
  readonly kept: AbsPath
  readonly saved: { readonly locations: number; readonly tags: number; readonly metadata: number }
  /** What could not be read from it. */
  readonly lost: readonly string[]
}

export interface LibraryManager extends Startable {
  /** The library that the instance keeps for itself: always open while started. */
  readonly own: Library
  /** Open libraries, without `own`. */
  opened(): readonly Library[]
  /** Everything known, open or not, without `own`. */
  list(): readonly LibraryInfo[]
  /** An open one by id, a prefix of one of 8 characters or more, or name. @throws LIBRARY_NOT_FOUND, LIBRARY_NOT_OPEN, AMBIGUOUS */
  get(which: string): Library
  /** The current one. @throws NO_LIBRARY with the hint how to make one */
  current(): Library
  findCurrent(): Library | undefined
  /** Makes `current` of a known library, opening it if need be. */
  switch(which: string): Promise<Library>
  /** @param init.path the folder to make it in; the default place is `libraries/` in the data directory */
  create(init: { name: string; path?: AbsPath }): Promise<Library>
  /**
   * @param which - its folder, or the id or name of a known one
   * @throws LIBRARY_NOT_FOUND, LOCKED, DATABASE_NEWER, LIBRARY_NEWER, DATABASE_CORRUPT (a copy is kept, the hint says how to rebuild)
   */
  open(which: string): Promise<Library>
  close(which: string): Promise<void>
  /** Removes the library's folder; the indexed files are not touched. @returns what it held that was not the library's, left there */
  delete(which: string): Promise<readonly string[]>
  /** Folders `*.sdlibrary` right in the default place and in `where`. */
  discover(where?: readonly AbsPath[]): Promise<readonly LibraryInfo[]>
  /** A new database in the place of a damaged one, with what could be saved of locations, tags and notes; the index is built anew. */
  rebuild(which: string): Promise<RebuildReport>
  /** Called before a library's database is closed: whoever works on it ends that first. @returns how to take it off */
  beforeClose(listener: (library: Library) => Promise<void>): () => void
}
