/**
 * The indexer: makes the index say what the disk says, either by walking (`indexTree`, in phases that a job runs one after
 * another) or for single paths (`applyChanges`, what the watcher calls). Both raise `seq`, keep entry ids over moves, and
 * emit `entry:*` for a few changes and `index:changed` for each batch. What cannot be read is unknown, never gone.
 *
 * A folder is looked at and recorded in one step as far as others can see: changes reported while a tree is walked wait
 * for the step in hand (tens of milliseconds), not for the walk.
 */
export type { Browsed, BrowsedEntry } from './browse.worker.js'
export { type BrowseRequest, EphemeralIndexes, MAX_BROWSED } from './ephemeral.js'

import type { Indexer } from './indexer.js'
import type { IndexerInit } from './parts.js'
import { IndexerService } from './service.js'

export type {
  AppliedChanges,
  Indexer,
  IndexLocation,
  IndexMode,
  IndexPhase,
  IndexPhaseContext,
  IndexPhaseName,
  IndexReport,
  IndexRequest,
  IndexRules,
  IndexRun,
  IndexRunState,
  IndexScope
} from './indexer.js'
export type { IndexerInit } from './parts.js'
export { DEFAULT_RULES, parseRules } from './scopes.js'

export const indexer = (init: IndexerInit): Indexer => new IndexerService(init)
