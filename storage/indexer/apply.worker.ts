import { type AbsPath, defineTasks, displayPath, type RelPath, SpacedriveError } from '../base/index.js'
import {
  type IndexChange,
  type IndexCounts,
  IndexWriter,
  indexNames,
  isBelow,
  mergeNames,
  type NamesTaken,
  namesUpto,
  Placement,
  type Settled,
  settle
} from '../entries/index.js'
import type { Sql } from '../sql/index.js'
import { Apply } from './apply.js'
import type { Batch } from './batch.js'
import { lookAt } from './look.js'
import { ensureRoot } from './root.js'
import { closeRun, openRun, runState } from './run-state.js'

export interface IndexWrite {
  readonly run: number
  readonly host: number
  readonly nowMs: number
  readonly seqLimit: number
  readonly links?: boolean
}

export interface Written {
  readonly seq: number
  readonly counts: IndexCounts
  readonly changes: readonly IndexChange[]
  /** Other names of files that changed, where only some names were looked at. */
  readonly links: readonly string[]
  /** Files whose content this write left unknown, the first MAX_STALE. */
  readonly stale: readonly number[]
}

export interface BeginRun extends IndexWrite {
  readonly location: number
  readonly path: AbsPath
  readonly force: boolean
}

/** The folder a run looks at, as it was when the run began. */
export interface RootMark {
  readonly path: AbsPath
  readonly device: bigint
  readonly inode: bigint
}

/** Names taken into the trigram index by one write: some 20 ms of the writer thread. */
const NAMES_AT_ONCE = 8_000

/** Everything is merged when a quarter of all names or more is new: else the cost would grow with the library. */
const MERGE_ALL_FROM = 4

/** What the indexer writes (writer thread of a library). */
export const indexing = defineTasks(import.meta.url, {
  /** Makes sure of the location's root row and opens a run. */
  beginRun(sql: Sql, input: BeginRun): Written & { root: number; empty: boolean } {
    const empty =
      sql.prepare('SELECT 1 FROM entries WHERE parent > 0 LIMIT 1').get() === undefined &&
      sql.prepare('SELECT 1 FROM deleted LIMIT 1').get() === undefined
    const writer = new IndexWriter(sql, input)
    const root = ensureRoot(writer, input.path)
    sql.prepare('UPDATE locations SET entry = ? WHERE id = ? AND entry IS NOT ?').run([root, input.location, root])
    for (const left of sql
      .prepare<{ id: number; parent: number }>('SELECT id, parent FROM limbo WHERE run = 0')
      .all()) {
      if (isBelow(sql, left.parent, root))
        sql.prepare('UPDATE limbo SET run = ? WHERE id = ?').run([input.run, left.id])
    }
    openRun(sql, input.run, { force: input.force, lookups: !empty })
    return { ...end(writer), root, empty }
  },

  applyBatch(sql: Sql, input: IndexWrite & { batch: Batch }): Written & { same: number; again: readonly RelPath[] } {
    const writer = new IndexWriter(sql, input)
    const run = runState(sql, input.run)
    const apply = new Apply(writer, new Placement(writer, run.replaced, run.lookups), run, input.batch)
    apply.all()
    return { ...end(writer), same: apply.same, again: apply.again }
  },

  /** Decides what is in limbo, some rows at a time. */
  settleRun(sql: Sql, input: IndexWrite & { limit: number; root: RootMark }): Written & Settled {
    const { path, device, inode } = input.root
    const writer = new IndexWriter(sql, input)
    const settled = settle(writer, input.run, input.limit, () => {
      // Asked after the names were looked for: an absence seen on a disk that was unmounted meanwhile is none.
      const look = lookAt(path)
      if (look.state === 'seen' && look.device === device && look.inode === inode) return
      throw new SpacedriveError('LOCATION_OFFLINE', `the folder ${displayPath(path)} went away while it was indexed`)
    })
    return { ...end(writer), ...settled }
  },

  endRun(sql: Sql, { run }: { run: number }): void {
    closeRun(sql, run)
    sql.prepare('UPDATE limbo SET run = 0 WHERE run = ?').run([run])
  },

  indexNames(sql: Sql): NamesTaken {
    return indexNames(sql, NAMES_AT_ONCE)
  },

  /** One step; `taken` names were taken up before the first. @returns whether there is more to do */
  mergeNames(sql: Sql, { taken }: { taken: number }): boolean {
    return mergeNames(sql, taken * MERGE_ALL_FROM > namesUpto(sql))
  }
})

function end(writer: IndexWriter): Written {
  const { seq } = writer.finish()
  const { changes, stale, links } = writer.told
  return { seq, counts: writer.counts, changes, stale, links }
}
