import {
  type AbortOptions,
  displayPath,
  errorCode,
  isWithin,
  type Problem,
  type RelPath,
  ROOT,
  SpacedriveError
} from '../../../storage/base/index.js'
import type { EntryStat } from '../../../storage/files/index.js'
import { type Endpoint, isNobodys, type TreeEntry } from '../../endpoints/index.js'
import type { Filter } from '../filter.js'
import { problem, special } from '../take-problems.js'
import { isFatalHere } from './away.js'

export interface WalkedSource {
  readonly source: Endpoint
  /** A name in the root of the end; '' is the root itself. */
  readonly top: string
  readonly filter: Filter
  /** The folder that is copied into, where both ends are on one device: it is never entered. */
  readonly avoid: EntryStat | undefined
  problem(problem: Problem): void
  /** Asked where it is gone: an earlier try of a move took all of it. */
  wasMoved(): Promise<boolean>
}

/**
 * What of a source is copied: in tree order, folders before what they hold, pages as they come from the other end. What is
 * ours is left out; what cannot be copied is a problem.
 */
export async function* walked(
  { source, top, filter, avoid, problem: tell, wasMoved }: WalkedSource,
  { signal }: AbortOptions
): AsyncGenerator<readonly TreeEntry[], void, void> {
  let skipped: RelPath | undefined
  const wanted = (entry: TreeEntry): boolean => {
    const { path, stat, unknown } = entry
    if (skipped !== undefined && isWithin(path, skipped)) return false
    skipped = undefined
    const directory = stat.kind === 'directory'
    if (isNobodys(unknown) || !lets(filter, top, path, directory)) {
      skipped = path
      return false
    }
    if (unknown !== undefined || stat.kind === 'other') {
      skipped = path
      tell(
        entry.problem ?? problem(path, unknown === 'special' || unknown === undefined ? special(path) : unread(path))
      )
      return false
    }
    if (directory && avoid !== undefined && same(stat, avoid)) {
      skipped = path
      tell(problem(path, new SpacedriveError('INTO_ITSELF', `could not copy ${displayPath(path)} into itself`)))
      return false
    }
    return true
  }
  try {
    for await (const { entries } of source.walk(top as RelPath, { otherFileSystems: true, signal })) {
      const some = entries.filter(wanted)
      if (some.length > 0) yield some
    }
  } catch (err) {
    signal?.throwIfAborted()
    if (isFatalHere(err)) throw err
    if (errorCode(err) !== 'MISSING' || !(await wasMoved())) tell(problem(top, err))
  }
}

/** Patterns hold from the top of each source. */
function lets(filter: Filter, top: string, path: RelPath, directory: boolean): boolean {
  if (path === top) return directory || filter.lets(path, false)
  const below = top === ROOT ? path : path.slice(top.length + 1)
  return filter.lets(below as RelPath, directory)
}

export const same = (a: EntryStat, b: EntryStat): boolean =>
  a.inode !== 0n && a.inode === b.inode && a.device === b.device

const unread = (path: RelPath): SpacedriveError =>
  new SpacedriveError('NO_PERMISSION', `could not copy ${displayPath(path)}: it could not be looked at`)
