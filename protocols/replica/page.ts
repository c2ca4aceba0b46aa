/** Pages of entries on the wire: names and what few entries have as values, the numbers of their stats as bytes beside them. */
import { parseRelPath, ROOT } from '../../storage/base/index.js'
import { fromColumns, type TreeEntry, toColumns } from '../../sync/endpoints/index.js'
import { wireError } from '../wire/index.js'
import type { Output } from './calls.js'
import { statsFromWire, statsToWire } from './stat-columns.js'

type Page = Output<'walk'>

export function pageToWire(entries: readonly TreeEntry[]): { values: Page; data: Uint8Array[] } {
  const { count, paths, extras, ...stats } = toColumns(entries)
  return { values: { count, paths, extras: extras as Page['extras'] }, data: statsToWire(stats) }
}

/** @throws {SpacedriveError} MALFORMED when it is not what `pageToWire` makes: every path and number is looked at */
export function pageFromWire({ count, paths, extras }: Page, data: Uint8Array): TreeEntry[] {
  const malformed = (why: string) => wireError('MALFORMED', `a page of names is not in order: ${why}`)
  if (paths.split('\0').length !== Math.max(1, count)) throw malformed('its number of names')
  const stats = statsFromWire(count, data)
  if ('refused' in stats) throw malformed(stats.refused)
  if (extras.some(extra => extra.index >= count)) throw malformed('an index')
  const entries = fromColumns({ ...stats, count, paths, extras })
  for (const { path } of entries) if (path !== ROOT && 'refused' in parseRelPath(path)) throw malformed('a name')
  return entries
}
