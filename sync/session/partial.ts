/** Whether a plan can be made of what changed since everything was compared, and of what. Runs in the planner's worker. */
import { createHash } from 'node:crypto'
import { isWithin, type RelPath } from '../../storage/base/index.js'
import type { Sql } from '../../storage/sql/index.js'
import { ENDS, type End, type Mode, type ReconcileOptions } from '../reconcile/index.js'
import type { IgnoreRules } from './ignored.js'
import { keyPath, keysBelow, pathKey } from './path-key.js'
import { basisOf, keysToCompare } from './touched.js'

/** What decides about a plan besides the trees: another one, and everything is compared (SYNC.md 6). */
export interface PlanBasis {
  readonly sync: number
  readonly proves: Readonly<Record<End, boolean>>
  readonly ignore: readonly IgnoreRules[]
  readonly options: Omit<ReconcileOptions, 'ignores' | 'sourceEmpty' | 'replicas'>
}

/** Each of them is looked up in three trees: beyond this, going through all three at once is not much dearer. */
const MAX_COMPARED = 5_000

export function optionsBasis({ sync, proves, ignore, options }: PlanBasis): string {
  const text = JSON.stringify([sync, proves, ignore, options], (_, v) => (typeof v === 'bigint' ? String(v) : v))
  return createHash('sha256').update(text).digest('hex')
}

/** With the number of the archive's last batch, so that neither database counts when the other was put back. */
export const basisWith = (batch: number, options: string): string => `${batch} ${options}`

interface PartialInit {
  readonly archive: Sql
  readonly snapshot: Sql
  readonly input: PlanBasis
  readonly basis: string
}

/** @returns undefined: all of it; `settle`: all of it, once the rows of renamed directories are where they belong */
export function keysToPlan({
  archive,
  snapshot,
  input,
  basis
}: PartialInit): readonly Uint8Array[] | 'settle' | undefined {
  const renames = snapshot
    .prepare<{ at: number; path: Uint8Array; to_path: Uint8Array }>('SELECT * FROM renamed')
    .all()
    .map(({ at, path, to_path }) => ({ end: ENDS[at]!, path: keyPath(path), to: keyPath(to_path) }))
  const all = renames.length > 0 ? 'settle' : undefined
  const { options, sync } = input
  const batch = archive.prepare<{ batch: number }>('SELECT batch FROM syncs WHERE id = ?').get([sync])?.batch
  if (batch === undefined || basisOf(snapshot) !== basisWith(batch, basis)) return all
  // Names that fold to one another stand anywhere.
  if (ENDS.some(e => options[e].foldsCase || options[e].foldsUnicode)) return all
  const keys = keysToCompare(snapshot, MAX_COMPARED)
  if (keys === undefined) return all
  const [rename] = renames
  if (rename === undefined) return keys
  const plain =
    renames.length === 1 &&
    input.ignore.length === 0 &&
    !isOneWayBack(rename.end, options.mode) &&
    !keys.some(key => isStrictlyWithin(keyPath(key), [rename.path, rename.to])) &&
    isNew(archive, snapshot, sync, rename.to)
  return plain ? keys : 'settle'
}

/** The destination's folder gets its old name back, and stays under the new one as well: all of it is looked at. */
const isOneWayBack = (end: End, mode: Mode): boolean =>
  end === 'destination' && (mode === 'replica' || mode === 'backup')

const isStrictlyWithin = (path: RelPath, folders: readonly RelPath[]): boolean =>
  folders.some(folder => path !== folder && isWithin(path, folder))

/** Nothing bears the name, or did when the ends last agreed. */
function isNew(archive: Sql, snapshot: Sql, sync: number, path: RelPath): boolean {
  const key = pathKey(path)
  const range = [key, ...keysBelow(key)]
  const below = 'path = ? OR (path >= ? AND path < ?)'
  const agreed = archive
    .prepare(`SELECT 1 FROM sync_archive WHERE sync = ? AND (${below}) LIMIT 1`)
    .get([sync, ...range])
  const seen = ENDS.some(
    (_, at) =>
      snapshot.prepare(`SELECT 1 FROM seen WHERE at = ? AND (${below}) LIMIT 1`).get([at, ...range]) !== undefined
  )
  return agreed === undefined && !seen
}
