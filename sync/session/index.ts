/**
 * A sync session (SYNC.md 6 and 7) between two folders of this device.
 *
 *   const outcome = await runSession({ sync, ends: { source, destination }, db, snapshot, dir, pool, clock, random })
 *
 * `scan.ts` brings the snapshot of an end up to date (`snapshot.worker.ts`): by a walk of all of it (`scan.worker.ts`), or by looks at
 * the paths that somebody hinted at (`hints.ts`). `plan.worker.ts` merges it with the archive
 * (`archive.worker.ts`, `rows.ts`) and lets reconcile decide, `transition.ts` does the plan (`steps.ts`, `stage-content.ts`),
 * `session.ts` calls them in order. docs/sync-session.md tells it.
 */
export { answersOf, waitingConflicts } from './answers.js'
export { answering, KEEP, type Keep } from './answers.worker.js'
export {
  archiving,
  findInArchive,
  readArchive,
  readUnsettled
} from './archive.worker.js'
export type { Change } from './change-columns.js'
export { ChangeLog } from './changes.js'
export { changing, KEEP_RUNS_MS, MAX_CHANGES, type RunKind } from './changes.worker.js'
export { capabilitiesOf, type OpenedEnd, openEnd } from './ends.js'
export { type FarEnds, type OpenedFar, WAITING_CODES } from './far-ends.js'
export { type IdentityHalt, type IdentityReason, judgeMarkers, type MarkersInit } from './guard.js'
export type { Hint } from './hints.js'
export { ignoreRules } from './ignore-rules.js'
export {
  IGNORE_FILE,
  Ignored,
  type IgnoreRules,
  type IgnoringLine,
  ignoredBy,
  MAX_IGNORE_FILE_BYTES
} from './ignored.js'
export { settleIntents } from './intents.js'
export { historySerial, SESSION_PHASES, WAITS_FOR_TURN } from './job.js'
export { type LastRun, lastWithConflicts } from './last-runs.js'
export { leftWrites } from './left.worker.js'
export type { Loan } from './loan.js'
export { lookAtAll } from './look-at-all.js'
export { keyPath, keysBelow, pathKey } from './path-key.js'
export { readPlanned } from './plan.js'
export { type EndFacts, type PlanSummary, planning, type Remark } from './plan.worker.js'
export {
  type Agreement,
  type FarFolder,
  farEnd,
  type Sync,
  type SyncEnd,
  type SyncOptions,
  type SyncSpec,
  versionPolicyOf,
  writableEnds
} from './record.js'
export { haltText, ignoredNotes, type RunReport, type RunState, remarksTold } from './report.js'
export { LOCK_NAME, lockRoot } from './root-lock.js'
export { judgeRoot } from './roots.js'
export type { NotDone, TurnOptions } from './runs.js'
export { MAX_HINTS, Scan, type Scanned, type ScanProgress, scanEnd } from './scan.js'
export {
  runSession,
  type SessionComponents,
  type SessionInit,
  type SessionOutcome,
  type SessionPhase,
  type SyncFacts
} from './session.js'
export { keptPlacing, openSessionEnd, placeAt, type SessionEnd } from './session-end.js'
export { snapshotting } from './snapshot.worker.js'
export { Snapshots } from './snapshots.js'
export { type StageOptions, stageContent, type Wanted } from './stage-content.js'
export type { Standing, SyncState, SyncStatus } from './status.js'
export { syncs } from './sync-list.js'
export type { FarAnswer, RunAsked, Syncs, SyncsInit } from './syncs.js'
export { type PlacedName, telling } from './told.worker.js'
export type { MovesToTell } from './told-moves.js'
export { Transition, type Transitioned, type TransitionInit } from './transition.js'
export type { Placing, TransitionEnd } from './transition-end.js'
export { type TakeOptions, Turns } from './turns.js'
export { type FolderVectors, type Vectors, type VectorsInit, vectors } from './vectors.js'
export { KEEP_GONE_MS, MAX_GONE } from './vectors-tidy.worker.js'
export { type FolderListener, type WatchFolderInit, watchFolder } from './watch-folder.js'
