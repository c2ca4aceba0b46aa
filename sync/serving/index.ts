/**
 * Serving: the end of a sync that lies here and is driven by another device (PEERS.md 8, docs/protocols/replica.md).
 *
 *   const served = servedSyncs({ db, clock, events, scans, nameOf, open, turn })
 *   await served.ask(device, { uuid, name, mode, side, theirs, path })      // it asks; a person here answers
 *   await served.accept(served.get(id)!, folder)                            // or `rules.judge` says yes in its place
 *   const end = await served.openEnd(sync, endpoint)                        // and from then on it may, through `end`
 *
 * `served-scans.ts` tells what changed there, `serving-end.ts` is what a driver may do: `own-batch.ts` sees for itself what a batch
 * takes away and keeps that in the versions, `guards.ts` counts it, `staged-hashes.ts` knows what was brought. `served-syncs.ts` keeps the list (`serving.worker.ts`).
 */
export { KeptThere } from './kept-there.js'
export * from './limits.js'
export { isWritten, madeBySync, type ServedSync } from './record.js'
export { type SyncRule, type SyncRules, syncRules, type Verdict } from './rules.js'
export { ServedScans, type ServedScansInit } from './served-scans.js'
export { type Accepting, type AskedFor, type ServedSyncs, type ServedSyncsInit, servedSyncs } from './served-syncs.js'
export { markerFor, ServingEnd } from './serving-end.js'
export { watchedPages } from './watching.js'
