/**
 * Versions: what a sync replaced or deleted at an end, kept there (SYNC.md 8). `line.ts` what is written down, `log.ts` reads it,
 * `as-of.ts` how an earlier state follows from it, `policy.ts` and `thin.ts` what is kept how long, `store.ts` all of it on a folder.
 * The disk's side is `FileRoot.versions` of storage/files.
 */
export { type EntryThen, type TreeNow, TreeThen } from './as-of.js'
export { formatLine, type Kept, type KeptAttributes, parseLine, type VersionLine } from './line.js'
export {
  mergedLines,
  type PathVersion,
  type Reach,
  type Snapshot,
  treeThen,
  type VersionLists,
  VersionLog
} from './log.js'
export {
  BACKUP_POLICY,
  DEFAULT_POLICY,
  exactMoment,
  formatPolicy,
  MAX_COUNT,
  MAX_DAYS,
  MIN_KEEP_MS,
  parsePolicy,
  stretchEnd,
  Thinner,
  type VersionPolicy
} from './policy.js'
export { LARGE_SHARE, type StoreProblem, type StoreUsage, VersionStore } from './store.js'
export type { DoneBatch } from './taken.js'
export type { ThinInit, ThinReport } from './thin.js'
