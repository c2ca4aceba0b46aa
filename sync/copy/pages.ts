import type { Problem, RelPath } from '../../storage/base/index.js'

/** What is found of the sources travels in pages: bounded, cheap to hand from thread to thread. */
export const KINDS = ['file', 'directory', 'symlink', 'other'] as const

/** Names of one source directory, at least one, with what a look at them told; arrays of one length. */
export interface FoundGroup {
  /** Relative to the folder that holds the sources. */
  readonly dir: RelPath
  /** Joined by `/`: one string crosses from thread to thread in a fraction of the time of a thousand. */
  readonly names: string
  /** Index into KINDS. */
  readonly kinds: Uint8Array
  readonly sizes: Float64Array
  readonly mtimesNs: BigInt64Array
  readonly modes: Uint16Array
  /** Of further names of files that have several: the path found first. Such groups come alone, in pages of `links`. */
  readonly firsts?: readonly RelPath[]
}

export interface FoundPage {
  readonly links: boolean
  /** Told by the index: each is looked at when it is taken, and whether it has further names only shows then. */
  readonly known?: boolean
  readonly groups: readonly FoundGroup[]
  readonly files: number
  readonly directories: number
  /** What would be written: holes and further names of a file count nothing. */
  readonly bytes: number
  readonly problems: readonly Problem[]
}

/** Names in a page: what one batch may place (SYNC.md 5). */
export const PAGE_NAMES = 1000
/** Names in the first page of what an index knows: so few are durable, and have their names, before a hundred milliseconds are over. */
export const FIRST_NAMES = 8
/** A page ends at so many bytes: four that wait for their names make the 256 MiB of a batch. A larger file comes alone. */
export const PAGE_BYTES = 64 * 1024 * 1024
/** A file larger than this goes on after a crash where the disk has it: what was copied is synced and noted each so much. */
export const CHECKPOINT_BYTES = 256 * 1024 * 1024
/** Pages found ahead of the copying: a quarter of a million names, some 40 MB; then discovery waits. */
export const PAGES_AHEAD = 256
/** Files with several names whose other names are still to come; beyond it further ones become copies of their own. */
export const MAX_LINKED = 200_000
