/**
 * The history of syncs: what was, and the way back (SYNC.md 7 and 8).
 *
 *   const done = await (await history.restore(sync, { path, atMs, to: 'source' })).outcome()
 *
 * `job.ts` makes jobs of it, `course.ts` says what of them outlives an interruption. `restore.ts` decides on the folders, `go-back.ts` on the moment; `work.worker.ts` makes, in a database of its own, what there was out of today's
 * tree and the lines since; `bring.ts` lets reconcile plan the way there and a transition go it; contents come through
 * `then-endpoint.ts`. `store-at.ts` reads the versions of a folder with nothing else. docs/versions.md tells it.
 */
export type { Kept, KeptProblem, Moment, PathVersionAt, Verified } from './browse.js'
export type { ConflictSide, SettledConflict, WaitingConflict } from './conflicts.js'
export type { Restored } from './go-back.js'
export { type SyncHistory, type SyncHistoryInit, syncHistory } from './history.js'
export type { EndsOfSync } from './kept-at.js'
export type { RestoreAsked, RestoreFromAsked } from './restore.js'
export { openStoreAt, type StoreAt } from './store-at.js'
export type { Unheard } from './stores.js'
export type { ServedFolder } from './thin-served.js'
export { type LargeStore, THIN_EVERY_MS } from './thinning.js'
export { MAX_UNDONE_CHANGES, type UndoAsked, type Undone, type UndoneRun } from './undo.js'
export type { Why, WhyChange, WhySide, WhyState } from './why.js'
