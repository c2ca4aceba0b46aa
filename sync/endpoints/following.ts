import type { AbortOptions, RelPath } from '../../storage/base/index.js'
import type { TreeEntry } from './entry.js'

/**
 * What changed in a folder since it was asked last (docs/decisions/160-changes-not-listings.md). The end looks at its disk and tells
 * what is otherwise than at `since`. Pages come in this order: `looked` while it looks; then either `whole`, and each entry there is in tree order
 * (what is not among them is gone), or `since`, entries that came or changed in tree order, then what is gone. The last one is `end`.
 */
export type FollowedPage =
  /** So many were looked at since the last page of this kind: a sign of life, and progress. */
  | { readonly kind: 'looked'; readonly entries: number }
  /** Everything is told: nothing was asked for, or the mark is not known there. */
  | { readonly kind: 'whole' }
  /** First of all these directories have other names, all at once; whatever stood at and below the new names is gone. */
  | { readonly kind: 'since'; readonly moves: readonly FollowedMove[] }
  | { readonly kind: 'entries'; readonly entries: readonly FollowedEntry[] }
  /** With all below them. */
  | { readonly kind: 'gone'; readonly paths: readonly RelPath[] }
  /**
   * @param mark - what to ask for the next time, once all of this is written down
   * @param later - folders that were renamed and not looked into: to be hinted at once more
   */
  | { readonly kind: 'end'; readonly mark: string; readonly later: readonly RelPath[] }

/** By inode and birth time: who does not find that directory under one of the two names asks for everything. */
export interface FollowedMove {
  readonly path: RelPath
  readonly to: RelPath
  readonly inode: bigint
  readonly birthNs: bigint
}

/** Of its stat kind, size, times, inode and mode mean something; the rest is 0. */
export interface FollowedEntry extends TreeEntry {
  /** Of a file that bore another name: which, once the directories have theirs. */
  readonly from?: RelPath | undefined
}

export interface FollowOptions extends AbortOptions {
  /** The mark of the last answer that was written down. */
  readonly since?: string | undefined
  /** Batches that were placed there since, as far as that is known where the answers are kept. */
  readonly placed?: number | undefined
  /** Only there something may have changed; left out: anywhere. */
  readonly hints?: readonly { readonly path: RelPath; readonly subtree: boolean }[] | undefined
}

/** Renames of directories that are told as such; more are told as names that are gone and others that came. */
export const MAX_FOLLOWED_MOVES = 500
/** Entries of one page. */
export const FOLLOWED_PAGE = 512
