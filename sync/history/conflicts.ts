/** Conflicts that wait for a person, and what he says to them: done by the next run, never by writing over anything here. */
import {
  type AbortOptions,
  displayPath,
  isWithin,
  type RelPath,
  ROOT,
  SpacedriveError,
  typed
} from '../../storage/base/index.js'
import { MAX_LOOKS } from '../endpoints/index.js'
import { ENDS, type End } from '../reconcile/index.js'
import {
  answering,
  answersOf,
  type Keep,
  keyPath,
  lastWithConflicts,
  pathKey,
  type Sync,
  waitingConflicts
} from '../session/index.js'
import type { HistoryInit } from './history.js'

/** What stands at one end of a conflict now. */
export interface ConflictSide {
  readonly kind: 'file' | 'directory' | 'symlink' | 'other'
  readonly sizeBytes: number
  readonly mtimeNs: bigint
}

export interface WaitingConflict {
  readonly path: RelPath
  readonly source: ConflictSide | undefined
  readonly destination: ConflictSide | undefined
  /** What was said to it, and not done yet. */
  readonly answered: string | undefined
}

export async function conflictsOf(
  { db, syncs }: HistoryInit,
  sync: Sync,
  options: AbortOptions
): Promise<readonly WaitingConflict[]> {
  const paths = waitingConflicts(db, sync.id)
  const answers = answersOf(db, sync.id)
  const sides: Record<End, (ConflictSide | undefined)[]> = { source: [], destination: [] }
  for (const end of ENDS) {
    const root = await syncs.reach(sync, end, options).catch(() => undefined)
    if (root === undefined) continue
    try {
      for (let i = 0; i < paths.length; i += MAX_LOOKS)
        for (const { entry } of await root.look(paths.slice(i, i + MAX_LOOKS), options)) {
          const stat = entry?.stat
          sides[end].push(stat && { kind: stat.kind, sizeBytes: stat.sizeBytes, mtimeNs: stat.mtimeNs })
        }
    } finally {
      await root.close()
    }
  }
  return paths.map((path, i) => ({
    ...{ path, source: sides.source[i], destination: sides.destination[i], answered: answers.get(path) }
  }))
}

/** A conflict that the policy, or a person's word, has settled. Paths in display form. */
export interface SettledConflict {
  readonly path: string
  readonly resolution: string
  /** Where the other content lies; undefined: in the versions. */
  readonly copy: string | undefined
  readonly atMs: number
}

/** So many of them a person is told: what is older has been seen, or is found by `why`. */
const MAX_SETTLED = 20

/** The newest first, as long as runs are kept. */
export function settledConflicts({ db }: HistoryInit, sync: Sync): readonly SettledConflict[] {
  return lastWithConflicts(db, sync, MAX_SETTLED)
    .flatMap(({ endedAtMs, report }) =>
      (report?.conflicts ?? [])
        .filter(({ resolution }) => resolution !== 'waiting')
        .map(({ path, resolution, copy }) => ({ path, resolution, copy, atMs: endedAtMs }))
    )
    .slice(0, MAX_SETTLED)
}

/** Of what a conflict left there: where the other content lies. */
export function conflictAt({ db }: HistoryInit, sync: Sync, path: RelPath): string | undefined {
  const key = pathKey(path)
  const row = db.get<{ path: Uint8Array; to_path: Uint8Array }>(
    `SELECT path, to_path FROM sync_changes WHERE sync = ? AND kind = 'move' AND reason = 'conflict-copy'
     AND (path = ? OR to_path = ?) ORDER BY done_at DESC LIMIT 1`,
    [sync.id, key, key]
  )
  if (row === undefined) return undefined
  const [name, copy] = [row.path, row.to_path].map(k => displayPath(keyPath(k))) as [string, string]
  return keyPath(row.path) === path
    ? `Both ends had edited it: what the other one had was kept as ${copy}.`
    : `Both ends had edited ${name}: this is the content that gave up the name. It syncs as any file; delete it when nothing of it is needed.`
}

/**
 * Writes down what is to be kept at `path`, and at all below it; the next run does it.
 * @returns the paths it was said of
 * @throws {SpacedriveError} NOT_IN_CONFLICT
 */
export async function answerConflicts(
  { db, clock }: HistoryInit,
  sync: Sync,
  path: RelPath,
  keep: Keep
): Promise<readonly RelPath[]> {
  const waiting = waitingConflicts(db, sync.id)
  const paths = waiting.filter(p => path === ROOT || isWithin(p, path))
  if (paths.length === 0) {
    const none = waiting.length === 0
    const what = path === ROOT || none ? `nothing of ${sync.name}` : `${displayPath(path)} of ${sync.name}`
    throw new SpacedriveError('NOT_IN_CONFLICT', `could not resolve it: ${what} waits for an answer`, {
      hint: none
        ? 'Conflicts wait only with the policy `prompt`; others were settled by it, and `sync conflicts` tells how.'
        : `\`spacedrive sync conflicts ${typed(sync.name)}\` shows what does.`
    })
  }
  await db.write(answering.answer, { sync: sync.id, paths, keep, atMs: clock.nowMs() })
  return paths
}
