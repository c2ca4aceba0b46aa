import { type AbortOptions, hasCode, parentOf, type RelPath, ROOT } from '../../storage/base/index.js'
import type { Database } from '../../storage/sql/index.js'
import { type Endpoint, MAX_LOOKS } from '../endpoints/index.js'
import { type End, type Operation, otherEnd } from '../reconcile/index.js'
import { snapshotting } from './snapshot.worker.js'

export interface LookAgainInit extends AbortOptions {
  readonly ends: Readonly<Record<End, { readonly endpoint: Endpoint }>>
  readonly snapshot: Database
}

/**
 * A scan is not atomic: before something is deleted or moved at one end because the other has it no more, or elsewhere, that
 * other end is asked once more (SYNC.md 5). @returns the ids of those that came back there meanwhile: they wait
 */
export async function lookAgain(
  batch: readonly Operation[],
  { ends, snapshot, signal }: LookAgainInit
): Promise<ReadonlySet<number>> {
  const back = new Set<number>()
  const doubted = batch.filter(takesAway)
  for (let i = 0; i < doubted.length; i += MAX_LOOKS) {
    const some = doubted.slice(i, i + MAX_LOOKS)
    const paths = some.map(op => op.path)
    const at = otherEnd(some[0]!.end)
    const known = await snapshot.maintain(snapshotting.holds, { at, paths })
    const looks = await ends[at].endpoint.look(paths, { signal })
    for (const [n, { entry, problem }] of looks.entries()) {
      // What the plan knew of (another kind of thing under that name, or what took the name since) is no news.
      if (known[n] === true) continue
      // A folder or link that stands in the way is as good as nothing there.
      if (entry === undefined && (problem === undefined || problem.code === 'LINK_IN_PATH')) continue
      if (entry === undefined || (await isCalled(ends[at].endpoint, entry.path, { signal }))) back.add(some[n]!.id)
    }
  }
  return back
}

/** Whether it bears this very name: an end that folds names answers to others too. Asked for what was not expected, so seldom. */
async function isCalled(endpoint: Endpoint, path: RelPath, options: AbortOptions): Promise<boolean> {
  for (let at = path; at !== ROOT; at = parentOf(at)) {
    let found = false
    try {
      for await (const { entries } of endpoint.list(parentOf(at), options)) found ||= entries.some(e => e.path === at)
    } catch (err) {
      if (!hasCode(err, 'MISSING', 'NOT_A_DIRECTORY', 'LINK_IN_PATH')) throw err
    }
    if (!found) return false
  }
  return true
}

function takesAway({ kind, reason }: Operation): boolean {
  if (kind === 'remove' || kind === 'remove-directory') return reason === 'deleted' || reason === 'extra'
  return (kind === 'move' || kind === 'park') && reason === 'moved'
}
