/** What a batch was about to do when a crash cut it off: the next who opens that end looks what came of it. */
import type { AbortOptions } from '../../storage/base/index.js'
import type { EntryKind, PlaceStep } from '../../storage/files/index.js'
import type { Database } from '../../storage/sql/index.js'
import type { Endpoint, Looked } from '../endpoints/index.js'
import { ENDS, type End } from '../reconcile/index.js'
import { type Change, changeBuffers, toChangeColumns } from './change-columns.js'
import { changing } from './changes.worker.js'
import { lookAtAll } from './look-at-all.js'

/** One change, and what stood at its path before it. */
interface Intended {
  readonly change: Change
  readonly was?: { readonly kind: EntryKind; readonly inode?: string | undefined } | undefined
}

/** As it is written down. */
export function intentText(changes: ReadonlyMap<PlaceStep, Change>): string {
  const list = [...changes].map(([step, change]): Intended => {
    if (!('expected' in step)) return { change }
    const { kind, inode } = step.expected
    return { change, was: { kind, inode: inode?.toString() } }
  })
  return JSON.stringify(list)
}

export interface SettleIntents {
  /** The instance database. */
  readonly db: Database
  /** `syncs.id`. */
  readonly sync: number
  readonly end: End
  readonly endpoint: Pick<Endpoint, 'look'>
}

/**
 * Writes down which changes of batches that were cut off at an end were done; its journals must be taken up before. In doubt a
 * change counts as done: who takes it back asks the disk once more.
 * @throws what looking at the end throws
 */
export async function settleIntents(
  { db, sync, end, endpoint }: SettleIntents,
  options: AbortOptions = {}
): Promise<void> {
  const intents = db.all<{ run: string; n: number; begun_at: number; changes: string }>(
    `SELECT i.run, i.n, i.begun_at, i.changes FROM sync_intents i JOIN sync_runs r ON r.id = i.run
     WHERE r.sync = ? AND i.at = ? ORDER BY i.begun_at, i.n`,
    [sync, ENDS.indexOf(end)]
  )
  for (const { run, n, begun_at, changes } of intents) {
    const list = JSON.parse(changes) as Intended[]
    const looks = await lookAtAll(
      endpoint,
      list.map(({ change }) => change.path),
      options
    )
    const done = list.filter((intended, i) => wasDone(intended, looks[i]!)).map(({ change }) => change)
    const columns = toChangeColumns(done)
    const transfer = changeBuffers(columns)
    await db.write(changing.record, { run, sync, doneAtMs: begun_at, changes: columns, intent: n }, { transfer })
  }
}

/** Not where what it would have taken from its name stands there still, or nothing got the name. */
function wasDone({ change: { kind }, was }: Intended, { entry, problem }: Looked): boolean {
  if (problem !== undefined || kind === 'attributes') return true
  if (kind === 'create' || kind === 'make-directory') return entry !== undefined
  if (kind === 'remove-directory') return entry?.stat.kind !== 'directory'
  if (entry === undefined || was === undefined) return true
  return entry.stat.kind !== was.kind || (was.inode !== undefined && entry.stat.inode !== BigInt(was.inode))
}
