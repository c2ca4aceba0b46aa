/** What a run achieved goes from the file of its plan into the archive, in the writer thread of the instance database: nothing of it crosses between threads. */
import { defineTasks, type RelPath } from '../../storage/base/index.js'
import type { Sql } from '../../storage/sql/index.js'
import { foldResults, type Settle } from '../reconcile/index.js'
import { changeArchive } from './archive.worker.js'
import { readSettles, unsettledByPlan, withPlan } from './plan-file.js'
import { achievedFinder } from './traces.js'

/** Where the next page begins. */
export interface FoldPosition {
  readonly kind: Settle['kind']
  readonly after: number
}

export interface FoldInput {
  readonly planFile: string
  readonly sync: number
  readonly from: FoldPosition
  /** Of all operations up to this one it is known what came of them. */
  readonly decided: number
}

export interface FoldedPage {
  /** Undefined: that was all. */
  readonly next: FoldPosition | undefined
  /** Nothing more can be folded before further operations are decided. */
  readonly waits: boolean
  /** How many entries of the archive were changed, and whether one of them is something that both ends have. */
  readonly changes: number
  readonly agreed: boolean
  /** Paths that are not what the plan made of them. */
  readonly missed: readonly RelPath[]
  /** With the last page: what the plan itself leaves to the next session. */
  readonly left: readonly { readonly path: RelPath; readonly why: string }[]
}

/** Forgotten first, by old paths; then everything moved at once; then what is put. */
const ORDER: readonly Settle['kind'][] = ['forget', 'move', 'put']
export const FOLD_BEGIN: FoldPosition = { kind: 'forget', after: 0 }
/** A thousand settles: others wait for them no longer than some 20 ms. */
const FOLD_BLOCKS = 4

export const folding = defineTasks(import.meta.url, {
  /**
   * The next page, as one transaction; outside of one (`Database.maintain`). Doing it twice changes nothing. A page is not waited for
   * to be on the disk: the write that ends the run is, and with it all that is before it in the log. What a power loss takes away
   * until then is the end of the fold, which a crash may do as well.
   */
  page(archive: Sql, input: FoldInput): FoldedPage {
    const before = Number(archive.pragma('synchronous'))
    if (before > NORMAL) archive.pragma(`synchronous = ${NORMAL}`)
    try {
      return archive.transaction(() => foldPage(archive, input))
    } finally {
      archive.pragma(`synchronous = ${before}`)
    }
  }
})

/** Of SQLite's `synchronous`: only a checkpoint waits for the disk. */
const NORMAL = 1

function foldPage(archive: Sql, { planFile, sync, from, decided }: FoldInput): FoldedPage {
  return withPlan(planFile, plan => {
    const achieved = achievedFinder(plan)
    const missed: RelPath[] = []
    let [changes, agreed, after] = [0, false, from.after]
    for (const kind of ORDER.slice(ORDER.indexOf(from.kind))) {
      const limit = kind === 'move' ? ALL : FOLD_BLOCKS
      const { blocks, waits } = readSettles(plan, kind, { after, limit, decided })
      // Everything moves at once, or not yet.
      if (waits && kind === 'move') return { next: { kind, after }, waits, changes, agreed, missed, left: [] }
      const folded = foldResults(
        blocks.flatMap(({ settles }) => settles),
        achieved
      )
      missed.push(...folded.unsettled)
      changes += folded.changes.length
      agreed ||= folded.changes.some(c => c.change === 'put')
      changeArchive(archive, sync, folded.changes)
      after = blocks.at(-1)?.n ?? after
      if (waits || blocks.length === limit) return { next: { kind, after }, waits, changes, agreed, missed, left: [] }
      after = 0
    }
    return { next: undefined, waits: false, changes, agreed, missed, left: unsettledByPlan(plan) }
  })
}

const ALL = -1
