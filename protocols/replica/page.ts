/** Pages of entries on the wire: names and what few entries have as values, the numbers of their stats as bytes beside them. */
import { parseRelPath, ROOT } from '../../storage/base/index.js'
import { type EntryColumns, fromColumns, type TreeEntry, toColumns } from '../../sync/endpoints/index.js'
import { wireError } from '../wire/index.js'
import type { Output } from './calls.js'

type Page = Output<'walk'>

/** Bytes of an entry in each column, in their order. */
const COLUMNS: readonly [number, number, number, number, number, number] = [1, 8, 24, 24, 16, 8]
const ENTRY_BYTES = COLUMNS.reduce((a, b) => a + b, 0)
const KINDS = 4

export function pageToWire(entries: readonly TreeEntry[]): { values: Page; data: Uint8Array[] } {
  const { count, paths, extras, kinds, sizes, timesNs, ids, numbers, allocated } = toColumns(entries)
  const data = [kinds, sizes, timesNs, ids, numbers, allocated].map(
    column => new Uint8Array(column.buffer, column.byteOffset, column.byteLength)
  )
  return { values: { count, paths, extras: extras as Page['extras'] }, data }
}

/** @throws {SpacedriveError} MALFORMED when it is not what `pageToWire` makes: every path and number is looked at */
export function pageFromWire({ count, paths, extras }: Page, data: Uint8Array<ArrayBuffer>): TreeEntry[] {
  const malformed = (why: string) => wireError('MALFORMED', `a page of names is not in order: ${why}`)
  if (data.length !== count * ENTRY_BYTES) throw malformed('its length')
  if (paths.split('\0').length !== Math.max(1, count)) throw malformed('its number of names')
  let at = 0
  const next = (bytes: number): ArrayBuffer => {
    at += bytes * count
    return data.buffer.slice(data.byteOffset + at - bytes * count, data.byteOffset + at)
  }
  const [a, b, c, d, e, f] = COLUMNS
  const columns: EntryColumns = {
    ...{ count, paths, extras, kinds: new Uint8Array(next(a)), sizes: new Float64Array(next(b)) },
    ...{ timesNs: new BigInt64Array(next(c)), ids: new BigUint64Array(next(d)) },
    ...{ numbers: new Uint32Array(next(e)), allocated: new Float64Array(next(f)) }
  }
  if (columns.kinds.some(kind => kind >= KINDS)) throw malformed('a kind')
  if (columns.sizes.some(size => !Number.isSafeInteger(size) || size < 0)) throw malformed('a size')
  if (columns.allocated.some(size => !Number.isSafeInteger(size) || size < -1)) throw malformed('a size')
  if (extras.some(extra => extra.index >= count)) throw malformed('an index')
  const entries = fromColumns(columns)
  for (const { path, stat } of entries) {
    if (path !== ROOT && 'refused' in parseRelPath(path)) throw malformed('a name')
    if (stat.mode > 0o7777) throw malformed('a mode')
  }
  return entries
}
