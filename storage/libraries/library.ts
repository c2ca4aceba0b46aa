import type { AbsPath, LibraryId, Startable } from '../base/index.js'
import type { Generation } from '../entries/index.js'
import type { Database } from '../sql/index.js'

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
  /** The greatest seq that the next write may use; reserves more in the instance database when less than `changes` are left. */
  reserveSeq(changes: number): Promise<number>
  statistics(): Promise<LibraryStatistics>
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
}

export interface LibraryManager extends Startable {
  /** The library that the instance keeps for itself: always open while started. */
  readonly own: Library
  /** Open libraries, without `own`. */
  opened(): readonly Library[]
  /** Everything known, open or not, without `own`. */
  list(): readonly LibraryInfo[]
  /** By id, a prefix of one of 8 characters or more, or name. @throws LIBRARY_NOT_FOUND, AMBIGUOUS */
  get(which: string): Library
  /** The current one. @throws NO_LIBRARY with the hint how to make one */
  current(): Library
  /** Makes `current` of an open library. */
  switch(which: string): Promise<Library>
  /** @param init.path the folder to make it in; the default place is `libraries/` in the data directory */
  create(init: { name: string; path?: AbsPath }): Promise<Library>
  /** @throws LIBRARY_NOT_FOUND, LOCKED, DATABASE_NEWER, DATABASE_CORRUPT, ... */
  open(path: AbsPath): Promise<Library>
  close(which: string): Promise<void>
  /** Removes the library's folder; the indexed files are not touched. */
  delete(which: string): Promise<void>
  /** Folders `*.sdlibrary` right in the default place and in `where`. */
  discover(where?: readonly AbsPath[]): Promise<readonly LibraryInfo[]>
}
