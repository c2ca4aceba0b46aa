import { comparePaths, displayPath, type RelPath, SpacedriveError } from '../../../storage/base/index.js'
import type { TreePage } from '../../../sync/endpoints/index.js'
import type { Output } from '../calls.js'
import { LISTED_ENTRIES_A_SECOND, LISTING_PATIENCE_MS, MAX_LISTED_ENTRIES, MAX_LISTED_NAME_BYTES } from '../limits.js'
import { pageFromWire } from '../page.js'
import type { Answer } from './answer.js'
import { malformed } from './failures.js'

export interface ListingInit {
  /** Whether a name belongs to what was asked for. */
  wanted(path: string): boolean
  /** That does not jump. */
  nowMs(): number
  readonly maxEntries?: number
  readonly maxNameBytes?: number
}

/**
 * Pages as they must be: names strictly in tree order, each where it was asked for, and an end to them before they hold more, or took
 * longer, than a folder does. Folders here are kept from others while one is read.
 */
export async function* inOrder(
  pages: AsyncIterable<Answer<Output<'walk'>>>,
  { wanted, nowMs, maxEntries = MAX_LISTED_ENTRIES, maxNameBytes = MAX_LISTED_NAME_BYTES }: ListingInit
): AsyncGenerator<TreePage, void, void> {
  let last: RelPath | undefined
  let count = 0
  let nameBytes = 0
  /** For the other device alone: what is done here with a page takes the time that it takes. */
  let waitedMs = 0
  let askedMs = nowMs()
  for await (const { value, data } of pages) {
    waitedMs += nowMs() - askedMs
    const entries = pageFromWire(value, data)
    for (const { path } of entries) {
      if (!wanted(path)) throw malformed(`a name that was not asked for, ${displayPath(path)}`)
      if (last !== undefined && comparePaths(last, path) >= 0) throw malformed('names out of order')
      last = path
      nameBytes += path.length
    }
    count += entries.length
    if (count > maxEntries || nameBytes > maxNameBytes) throw malformed('a list without an end')
    if (waitedMs > LISTING_PATIENCE_MS + (count / LISTED_ENTRIES_A_SECOND) * 1000)
      throw new SpacedriveError(
        'UNREACHABLE',
        `the device took ${Math.round(waitedMs / 60_000)} min for ${count} names`
      )
    if (entries.length > 0) yield { entries }
    askedMs = nowMs()
  }
}
