/** How much of what lies at both ends the rules leave out: rules that hide most of a tree are said (SYNC.md 9). */
import { defineTasks } from '../../storage/base/index.js'
import { type Sql, withReader } from '../../storage/sql/index.js'
import { Ignored, type IgnoreRules } from './ignored.js'
import { keyPath } from './path-key.js'

/** Files and links, by their paths, at either end. */
export interface Hidden {
  readonly ignored: number
  readonly of: number
}

export const hiding = defineTasks(import.meta.url, {
  count({ snapshotFile, rules }: { snapshotFile: string; rules: readonly IgnoreRules[] }): Hidden {
    return withReader(snapshotFile, snapshot => countHidden(snapshot, rules))
  }
})

export function countHidden(snapshot: Sql, rules: readonly IgnoreRules[]): Hidden {
  const ignored = new Ignored(rules)
  const sum = { ignored: 0, of: 0 }
  for (const { path, directory } of shown(snapshot)) {
    const said = ignored.next(keyPath(path), directory)
    if (directory) continue
    sum.of++
    if (said !== 'no') sum.ignored++
  }
  return sum
}

/** Both ends go in tree order, one beside the other: together they would be sorted anew, a million paths in memory. */
export const SHOWN = `
  SELECT path, kind = 1 OR directory AS directory FROM seen WHERE at = 0
  UNION ALL SELECT path, kind = 1 OR directory FROM seen WHERE at = 1 ORDER BY path`

/** Each path once, in tree order, and whether it is a directory at an end. */
function* shown(snapshot: Sql): Generator<{ path: Uint8Array; directory: boolean }> {
  let last: { path: Uint8Array; directory: boolean } | undefined
  for (const row of snapshot.prepare<{ path: Uint8Array; directory: number }>(SHOWN).iterate()) {
    const [path, directory] = [row.path, row.directory === 1]
    if (last !== undefined && Buffer.compare(last.path, path) === 0) last.directory ||= directory
    else {
      if (last !== undefined) yield last
      last = { path, directory }
    }
  }
  if (last !== undefined) yield last
}
