import type { AbortOptions, RelPath } from '../../storage/base/index.js'
import type { Version } from '../reconcile/index.js'

/** What was seen at a path, as far as versions count it. `content`: the hash of a file, the target of a link; else empty. */
export interface SeenThing {
  readonly path: RelPath
  readonly kind: 'file' | 'directory' | 'symlink' | 'gone'
  readonly content: string
  readonly mode: number
  readonly mtimeNs: bigint
  /** 0, both of them, where they prove nothing. */
  readonly inode: bigint
  readonly birthNs: bigint
  /** It holds what both ends agreed on last: where nothing is remembered of it, nobody has changed it. */
  readonly agreed: boolean
}

/** What a step makes of versions, beside what it says itself. */
export interface StepNote {
  /** Of what gets a name by it. */
  readonly content?: string | undefined
  readonly link?: boolean | undefined
  /** What it has seen from then on; left out: nothing is known of it. */
  readonly version?: Version | undefined
}

/** Nothing is done on the disk: what lies at a path has seen this as well. */
export interface LearnedVersion {
  readonly path: RelPath
  readonly version: Version
}

/** Paths whose versions were changed by others than this sync. */
export interface ChangedVectors {
  readonly paths: readonly RelPath[]
  /** Where the next page begins; undefined: that was all. */
  readonly next?: number | undefined
  /** What was changed up to this number is told by these pages. */
  readonly upto: number
  /** No version is remembered of anything. */
  readonly empty: boolean
}

/** The versions of the entries of one end (SYNC.md 1): what each has seen, those that are gone included. For one sync. */
export interface EndVectors {
  /** The name under which changes by hand are counted: of this folder, in this life of its database. */
  readonly replica: string
  /** The first page (without `upto`) begins a look. @param after - number up to which it is known already */
  changed(
    page: { readonly after: number; readonly upto?: number | undefined },
    options?: AbortOptions
  ): Promise<ChangedVectors>
  /**
   * What the driver has seen there: what is otherwise than remembered was changed by hand and is counted. What is gone is to be
   * told first, then the rest in tree order, then what is gone once more: so renames keep their versions.
   * @param round - `upto` of the look
   * @returns what each has seen; of what is gone undefined unless a deletion is remembered
   */
  observe(
    things: readonly SeenThing[],
    round: number,
    options?: AbortOptions
  ): Promise<readonly (Version | undefined)[]>
  learn(notes: readonly LearnedVersion[], options?: AbortOptions): Promise<void>
}
