/** Which paths are not alike once a plan is done: an untracked extra, say. What the plan brought in step is none of them. */
import { defineTasks, type RelPath } from '../../storage/base/index.js'
import { withReader } from '../../storage/sql/index.js'
import type { End } from '../reconcile/index.js'
import { Ignored, type IgnoreRules } from './ignored.js'
import { isDifferent, SyncRows } from './rows.js'

export interface OddInput {
  readonly instanceFile: string
  readonly snapshotFile: string
  readonly sync: number
  readonly proves: Readonly<Record<End, boolean>>
  readonly ignore: readonly IgnoreRules[]
  /** Those that were not alike before. */
  readonly paths: readonly RelPath[]
}

export const comparing = defineTasks(import.meta.url, {
  stillOdd({ instanceFile, snapshotFile, sync, proves, ignore, paths }: OddInput): RelPath[] {
    return withReader(instanceFile, archive =>
      withReader(snapshotFile, snapshot => {
        const rows = new SyncRows({ archive, snapshot, sync, proves, ignored: () => new Ignored(ignore), keeps: false })
        return paths.filter(path => {
          const row = rows.find(path)
          return row !== undefined && isDifferent(row)
        })
      })
    )
  }
})
