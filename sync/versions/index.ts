/**
 * Versions: what a sync replaced or deleted at an end, kept there (SYNC.md 8). `line.ts` what is written down, `as-of.ts` how an
 * earlier state follows from it, `policy.ts` what is kept how long, `store.ts` all of it on a folder. The disk's side is
 * `FileRoot.versions` of storage/files.
 */
export { type EntryThen, type ListNow, TreeThen } from './as-of.js'
export { formatLine, type Kept, parseLine, type VersionLine } from './line.js'
export {
  BACKUP_POLICY,
  DEFAULT_POLICY,
  formatPolicy,
  MAX_COUNT,
  MAX_DAYS,
  MIN_KEEP_MS,
  parsePolicy,
  Thinner,
  type VersionPolicy
} from './policy.js'
export {
  LARGE_SHARE,
  type PathVersion,
  type Snapshot,
  type StoreProblem,
  type StoreUsage,
  type ThinInit,
  type ThinReport,
  VersionStore
} from './store.js'
