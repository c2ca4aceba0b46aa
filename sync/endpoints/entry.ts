import type { Problem, RelPath } from '../../storage/base/index.js'
import type { EntryStat } from '../../storage/files/index.js'

/**
 * Why something is *unknown*: never deleted, never overwritten, never taken for absent (SYNC.md 1).
 * - `special`: a device, socket or FIFO
 * - `unreadable`: its directory shows it, but it could not be looked at; or a directory that could not be listed
 * - `other-file-system`: mounted there; not entered unless asked for
 * - `ours`: data directories, open libraries, `.spacedrive/` with a marker (SYNC.md 9); never entered
 * - `file-system`: a file system's own: `lost+found`; never entered
 * - `ignored`: rules of a sync leave it out
 */
export type UnknownReason = 'special' | 'unreadable' | 'other-file-system' | 'ours' | 'file-system' | 'ignored'

/** No person's: nothing that is copied, and nobody has to be told. */
export const isNobodys = (unknown: UnknownReason | undefined): boolean =>
  unknown === 'ours' || unknown === 'file-system'

/** What one look at a path saw. Plain values: it goes through threads and over wires as it is. */
export interface TreeEntry {
  /** Below the endpoint's root; the root itself is ''. */
  readonly path: RelPath
  /**
   * As lstat tells it. Of what could not be looked at (`unknown: 'unreadable'` without a readable stat) kind is `other` and
   * every number 0. `inode`, `birthNs` and `device` are 0 where an end does not know them; they compare within one end only.
   */
  readonly stat: EntryStat
  /** Of a symlink: as readlink tells it, never followed. */
  readonly target?: string | undefined
  readonly unknown?: UnknownReason | undefined
  /** Why it is unreadable. */
  readonly problem?: Problem | undefined
}

/** Some entries in tree order (`comparePaths`: a directory directly before what it holds). Never empty. */
export interface TreePage {
  readonly entries: readonly TreeEntry[]
}

/** What is at a path: an entry, nothing (`entry` left out), or a problem that leaves it open which. */
export interface Looked {
  readonly path: RelPath
  readonly entry?: TreeEntry | undefined
  /** LINK_IN_PATH: a link or a file stands where a directory of the path should be. NO_PERMISSION, DISK_ERROR ... */
  readonly problem?: Problem | undefined
}
