import type { RelPath } from '../../../storage/base/index.js'
import type { EntryStat } from '../../../storage/files/index.js'
import type { SkipReason } from '../decide.js'
import type { Conflict } from '../taking.js'

/** What is to be done with one thing, in tree order of the sources. */
export type Item = FolderItem | CopyItem | SameItem

interface At {
  readonly source: RelPath
  readonly to: RelPath
  /** As the source was seen. */
  readonly stat: EntryStat
}

export interface FolderItem extends At {
  readonly do: 'folder'
  /** It is not there yet. */
  readonly make: boolean
  /** It is there with another mode or time. */
  readonly differs: boolean
}

export interface CopyItem extends At {
  readonly do: 'copy'
  /** Of a symlink. */
  readonly link?: string | undefined
  /** What stands there now. */
  readonly replaces?: EntryStat | undefined
}

/** It is there already, with the same content. */
export interface SameItem extends At {
  readonly do: 'same'
  readonly standing: EntryStat
  /** Mode or time are to follow the source. */
  readonly attributes: boolean
}

/** Some of it: what is staged together and then gets its names together. */
export interface Work {
  readonly items: readonly Item[]
  readonly skipped: readonly { readonly path: RelPath; readonly reason: SkipReason }[]
  readonly conflicts: readonly Conflict[]
  /** All that was looked at for it, folders aside. */
  readonly files: number
  readonly bytes: number
}

/** Bytes that a copy brings. Holes count nothing where they are known. */
export const bytesOf = ({ kind, sizeBytes, allocatedBytes }: EntryStat): number =>
  kind === 'file' ? Math.min(sizeBytes, allocatedBytes ?? sizeBytes) : 0
