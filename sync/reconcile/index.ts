/**
 * Reconcile: which operations make two ends of a sync what their mode wants them to be. PURE: values in, plan out.
 * docs/reconcile.md says how it works and what its rows must hold.
 *
 *   for (const row of reconcile(rows, options)) ...            // operations in an order that can be done, and what goes with them
 *   const { changes, unsettled } = foldResults(settles, id => readBack.get(id))   // what the archive learns of a batch
 *
 * `entry.ts`, `version.ts`, `options.ts`, `operation.ts` are the values; `gather.ts`, `agreed.ts`, `match.ts`, `decide.ts`, `target.ts`,
 * `solve.ts`, `collide.ts`, `conflict.ts` decide; `arrange.ts`, `leaves.ts`, `directories.ts` put what is to be done in order; `archive.ts` takes up what was.
 */
export * from './archive.js'
export { conflictNames, isConflictCopy, MAX_DEVICE_IN_NAME } from './conflict-name.js'
export * from './entry.js'
export { MIN_PAIRED_BYTES } from './gather.js'
export { MAX_CHAIN } from './group.js'
export * from './guard.js'
export { LooseObjects } from './loose-objects.js'
export { agreeMetadata } from './metadata.js'
export { nameKey, refusedName } from './names.js'
export * from './operation.js'
export * from './options.js'
export { hashOperation, operationLine, type TextHasher } from './plan-hash.js'
export { reconcile } from './reconcile.js'
export { ContentCounts, type EndTotals, noTotals, Tally, type Totals } from './totals.js'
export { isUnread, UNREAD, unreadContent, withHash } from './unread.js'
export * from './version.js'
