import type { RelPath } from '../../storage/base/index.js'
import type { Database } from '../../storage/sql/index.js'
import type { ConflictPolicy } from '../reconcile/index.js'
import { KEEP, type Keep } from './answers.worker.js'
import { keyPath } from './path-key.js'

/** What a person answered to conflicts that wait, until a run has carried it out. */
export function answersOf(db: Database, sync: number): ReadonlyMap<RelPath, ConflictPolicy> {
  const rows = db.all<{ path: Uint8Array; keep: Keep }>('SELECT path, keep FROM sync_answers WHERE sync = ?', [sync])
  return new Map(rows.map(({ path, keep }) => [keyPath(path), KEEP[keep]]))
}

/** Paths in conflict that wait for a person, in tree order. */
export function waitingConflicts(db: Database, sync: number): RelPath[] {
  return db
    .all<{ path: Uint8Array }>(`SELECT path FROM sync_unsettled WHERE sync = ? AND why = 'conflict' ORDER BY path`, [
      sync
    ])
    .map(({ path }) => keyPath(path))
}
