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

function countHidden(snapshot: Sql, rules: readonly IgnoreRules[]): Hidden {
  const ignored = new Ignored(rules)
  const sum = { ignored: 0, of: 0 }
  const rows = snapshot.prepare<{ path: Uint8Array; directory: number }>(
    'SELECT path, max(kind = 1 OR directory) AS directory FROM seen GROUP BY path ORDER BY path'
  )
  for (const { path, directory } of rows.iterate()) {
    const said = ignored.next(keyPath(path), directory === 1)
    if (directory === 1) continue
    sum.of++
    if (said !== 'no') sum.ignored++
  }
  return sum
}
