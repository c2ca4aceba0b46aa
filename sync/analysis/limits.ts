/** Entries that an analysis reads ahead of whoever takes them: some 4 MB. */
export const AHEAD_ENTRIES = 10_000
/** Entries told from the index whose telling is remembered, some 40 bytes each; the disk tells of the rest. */
export const MAX_TOLD = 2_000_000
/** Stale and filtered directories that are walked one by one; beyond it all of the tree is. */
export const MAX_PASSED_OVER = 10_000
/** Stale and fresh subtrees named in a report; beyond it they are counted. */
export const MAX_REPORTED = 1_000
/** Entries of a destination that are held to answer at once, some 45 bytes each; for the rest the disk is asked. */
export const MAX_DESTINATION = 1_000_000
/** Pairs of two trees whose contents are compared together: what is held of them. */
export const COMPARED_AT_ONCE = 512
