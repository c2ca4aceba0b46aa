import type { Problem, RelPath } from '../../storage/base/index.js'
import type { EntryStat } from '../../storage/files/index.js'
import type { DecideRules, OverwriteMode, SkipReason } from './decide.js'
import type { FoundGroup } from './pages.js'
import type { RouteFacts, Strategy } from './router.js'

/** What one page is taken with: plain values, the same for all pages but for the page itself. */
export interface TakeInput {
  readonly groups: readonly FoundGroup[]
  /** See `FoundPage.known`. */
  readonly known?: boolean | undefined
  /** Unique in the staging place: what is staged lies below it as `0`, `1` ... */
  readonly stageIn: string
  /** Files that are larger than `everyBytes` are staged below `in`, by their path, and go on where an earlier try has them. */
  readonly large: { readonly in: string; readonly everyBytes: number }
  /** Names of sources and what they are called at the destination, where that differs. */
  readonly renames: Readonly<Record<string, string>>
  readonly rules: Omit<DecideRules, 'sameContent' | 'overwrite'>
  readonly overwrite: OverwriteMode
  readonly route: Omit<RouteFacts, 'sizeBytes'>
  readonly owner: boolean
  readonly xattrs: boolean
  /** Nothing is written: only what would be done is told. */
  readonly dryRun: boolean
}

export interface TakeOutput {
  /** Lie staged and wait for their names, in the order in which they are placed. */
  readonly staged: readonly StagedCopy[]
  /** Directories that were made (or would be). */
  readonly made: readonly RelPath[]
  /** Source folders whose counterparts are not as they will be: made, put into, or with another mode or time. */
  readonly touched: readonly RelPath[]
  readonly attributes: readonly AttributeChange[]
  readonly skipped: readonly { readonly path: RelPath; readonly reason: SkipReason }[]
  readonly conflicts: readonly Conflict[]
  readonly problems: readonly Problem[]
  /** Already there, with the same content: files and links. A move removes their sources. */
  readonly same: number
  readonly sameBytes: number
  readonly sameSources: readonly SourceGone[]
  /** Told by the index, and found to have several names: they are taken together when everything else is. */
  readonly later: readonly RelPath[]
  /** What earlier tries left of large files, and was not copied again. */
  readonly resumedBytes: number
  /** What was learned: files here can (not) share their blocks. */
  readonly reflinks: RouteFacts['reflinks']
}

export interface StagedCopy {
  readonly source: RelPath
  readonly path: RelPath
  readonly staged: RelPath
  /** What it replaces; undefined: nothing stands there. */
  readonly replaces?: EntryStat | undefined
  readonly bytes: number
  readonly strategy: Strategy | 'link'
  /** In a dry run. */
  readonly reason?: string
  /** Where content is checked before it gets its name. */
  readonly hash?: string | undefined
  /** Of the source, for a move: only what is still this is removed. */
  readonly from?: EntryStat | undefined
}

export interface SourceGone {
  readonly source: RelPath
  /** Where it is now. */
  readonly path: RelPath
  readonly from: EntryStat
}

export interface AttributeChange {
  readonly path: RelPath
  readonly expected: EntryStat
  readonly mode?: number
  readonly mtimeNs?: bigint
}

export interface Conflict {
  readonly source: RelPath
  readonly path: RelPath
  readonly sourceBytes: number
  readonly sourceMtimeNs: bigint
  readonly targetBytes: number
  readonly targetMtimeNs: bigint
}

export interface CheckInput {
  readonly files: readonly { readonly path: RelPath; readonly staged: RelPath; readonly hash?: string | undefined }[]
}
