/**
 * A first sync into an empty end reads each file once: nothing there can be the same as anything, so no hash is asked for before
 * the plan. What is copied must be, by its whole stat, what the scan saw, when it is opened and once it was read; the hash that is learnt
 * on the way takes the place of the planned one before anything is placed or written down.
 */
import type { ContentHash } from '../../storage/base/index.js'
import { HASH_BYTES, hashFromBytes } from '../../storage/content/index.js'
import type { Database } from '../../storage/sql/index.js'
import { contentBuffersOf } from '../endpoints/index.js'
import { type End, type Operation, withHash } from '../reconcile/index.js'
import { endNumber } from './seen.js'
import type { SessionInit } from './session.js'
import { snapshotting } from './snapshot.worker.js'
import type { Learnt } from './stage-content.js'

/** Whether a session may leave the source unread, should the destination turn out empty: both here, without an archive, nothing but run. */
export function mayStayUnread({ sync, db, ends, planOnly, planHash, force, acceptRollback }: SessionInit): boolean {
  if (planOnly === true || planHash !== undefined || force !== undefined || acceptRollback === true) return false
  if (ends.source.local === undefined || ends.destination.local === undefined) return false
  return db.get<{ archive: number }>('SELECT archive FROM syncs WHERE id = ?', [sync.id])?.archive === 0
}

/** Nothing at all was met at an end. */
export const isEmptyEnd = (snapshot: Database, end: End): boolean =>
  snapshot.get('SELECT 1 AS n FROM seen WHERE at = ? LIMIT 1', [endNumber(end)]) === undefined

/** Writes down what was learnt of files where they came from. @returns the hashes, by operation */
export async function noteLearnt(
  snapshot: Database,
  from: End,
  learnt: readonly Learnt[]
): Promise<ReadonlyMap<number, ContentHash>> {
  const hashes = new Map<number, ContentHash>()
  const writes = learnt.map(({ ids, rows }) => {
    for (const [i, id] of ids.entries())
      hashes.set(id, hashFromBytes(rows.hashes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES)))
    return snapshot.write(snapshotting.hashed, { at: from, rows }, { transfer: contentBuffersOf(rows) })
  })
  await Promise.all(writes)
  return hashes
}

/** The operation with the hash of what it brings. */
export function withLearnt(op: Operation, hashes: ReadonlyMap<number, ContentHash>): Operation {
  if (op.kind !== 'create' || !hashes.has(op.id)) return op
  return { ...op, content: withHash(op.content, hashes.get(op.id)) }
}
