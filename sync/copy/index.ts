/**
 * Copying and moving files, within this device and between devices.
 *
 *   const copying = copies({ db, files, pool, clock, trash, ours, pause }, jobs)        // node/compose.ts
 *   await copying.check(input)
 *   const job = await copying.begin({ operation: 'copy', sources: [photos], destination: stick, ... })
 *
 * `scan.worker.ts` finds, `take.ts` looks at the destination and decides by `decide.ts` and `router.ts`, stages in workers;
 * `placer.ts` gives names through `storage/files`; `copy-run.ts` keeps all of it going at once and bounded. The destination
 * itself says what was done: a copy that goes on after a crash looks and skips. docs/copy.md tells it to people.
 *
 * Where one end is another device both are `Endpoint`s and `remote/` does it, by the same decisions (`decide.ts`):
 * `layout.ts` opens the ends, `walking.ts` finds, `deciding.ts` looks at the destination, `staging.ts` brings content over,
 * `placing.ts` gives names; `pipeline.ts` keeps it all going at once, `waits.ts` lets a copy wait for a device that is away.
 */

export { type Copies, copies, type FileConflict } from './copies.js'
export type { Answer } from './copy.worker.js'
export { type Decision, decide, OVERWRITE_MODES, type OverwriteMode } from './decide.js'
export { type CopyInput, copyInput, MAX_PATTERNS, MAX_SOURCES, PREPARE_MODES } from './input.js'
export { listFolder } from './list-folder.js'
export type { CopyOutput } from './output.js'
export type { CopyComponents } from './ports.js'
export type { Preview, PreviewLine, PreviewTold } from './preview.js'
export { isAway, isFatalHere } from './remote/away.js'
export { devicesOf, type Place, type RemoteCopyInput } from './remote/input.js'
export { shownPlace } from './remote/layout.js'
export { MovedAway, type Taking } from './remote/moved.js'
export type { Ends, RemoteCopyComponents } from './remote/ports.js'
export { reaching } from './remote/reaching.js'
export { type RemoteCopies, remoteCopies } from './remote/remote-copies.js'
export { Waits } from './remote/waits.js'
export { type Route, type RouteFacts, route, type Strategy } from './router.js'
