import { type AbortOptions, displayPath, type RelPath, ROOT, SpacedriveError } from '../../storage/base/index.js'
import type { Endpoint } from '../endpoints/index.js'
import type { End } from '../reconcile/index.js'
import type { IgnoreRules } from '../session/index.js'
import { formatLine, mergedLines } from '../versions/index.js'
import type { StoreRead } from './store-at.js'
import { BASE, TARGET } from './then-rows.js'
import type { Work } from './work.js'
import { working } from './work.worker.js'

/** Lines handed to the work database at once. */
const LINES_PAGE = 1_000

/** What is undone, and where it is read. */
export interface Past {
  readonly now: Endpoint
  /** Today's tree, as the snapshot has it. */
  readonly snapshotFile: string
  readonly at: End
  readonly stores: readonly StoreRead[]
  readonly ignore: readonly IgnoreRules[]
  /** For people. */
  readonly what: string
  /** What shows the moments that can be gone back to: of a sync, a command; of a folder alone, the times of its lists. */
  readonly shows: string
}

export interface Fill {
  readonly path: RelPath
  readonly as: RelPath
  readonly end: End | undefined
  readonly same: boolean
  readonly atMs: number | undefined
}

/** Writes what is and what shall be into the work database. @returns how many entries there shall be */
export async function fill(
  { db }: Work,
  { snapshotFile, at, stores, what }: Past,
  { path, as, end, same, atMs }: Fill,
  options: AbortOptions
): Promise<number> {
  if (end !== undefined) await db.maintain(working.copyEnd, { snapshotFile, from: end, at: TARGET, path })
  // All of it: what moved was elsewhere.
  if (!same) await db.maintain(working.copyEnd, { snapshotFile, from: at, at: BASE, path: ROOT })
  else if (path !== ROOT) await db.maintain(working.copyEnd, { snapshotFile, from: at, at: BASE, path: ROOT })
  if (atMs !== undefined) {
    let texts: string[] = []
    for await (const { line } of mergedLines(
      stores.map(({ log }) => log),
      options
    )) {
      if (line.atMs <= atMs) break
      texts.push(formatLine(line))
      if (texts.length === LINES_PAGE) await db.write(working.addLines, { texts: texts.splice(0) })
    }
    await db.write(working.addLines, { texts })
    texts = []
  }
  const base = same && path === ROOT ? TARGET : BASE
  const { entries, blockedBy } = await db.write(working.buildThen, { base, same, path, as })
  if (blockedBy === undefined) return entries
  const [blocked, shown] = [displayPath(blockedBy), displayPath(path)]
  throw new SpacedriveError('PATH_BLOCKED', `could not restore ${shown} of ${what}: ${blocked} is no folder now`, {
    hint: `Restore ${blocked} itself, or restore into another folder: --to DIR.`
  })
}
