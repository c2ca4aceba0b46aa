/**
 * Watching a tree: hints that something may have changed, gathered into batches. Who gets them looks at the disk; a hint too
 * many costs a look, a hint too few would be a lie, so everything doubtful (a renamed folder, a queue that ran over, a name
 * that could not be read, a watch that was refused) is a hint for the whole subtree.
 *
 *   const watch = await watcher.watch({ root, backend: chooseBackend({ platform, network, entries }) }, {
 *     changes: async batch => { await indexer.applyChanges(library, location, batch) },
 *     coverage: c => ...,     // what is walked every 30 s since the system grants no more watches, and the cure
 *     rootLost: () => ...     // moved, deleted or unmounted: told apart by storage/locations
 *   })
 *
 * `watch` resolves when everything is watched; a scan begun after that leaves no gap. One batch is out at a time: the next
 * comes when the listener's promise has settled. Back ends: see WATCH_BACKENDS and docs/decisions/003.
 */
import type { Watcher } from './watcher.js'
import { type WatcherComponents, WatcherService } from './watcher-service.js'

export { chooseBackend, type WatchSituation } from './choose.js'
export { CHOKIDAR_MAX_ENTRIES, WALK_INTERVAL_MS } from './limits.js'
export {
  WATCH_BACKENDS,
  type Watch,
  type WatchBackend,
  type WatchChange,
  type WatchCoverage,
  type Watcher,
  type WatchListener,
  type WatchRequest
} from './watcher.js'
export type { WatcherComponents } from './watcher-service.js'

export function watcher(components: WatcherComponents): Watcher {
  return new WatcherService(components)
}
