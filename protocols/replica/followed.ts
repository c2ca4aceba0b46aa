/** Changes on the wire: names and what few entries have as values, the numbers of their stats as bytes beside them. */
import { comparePaths, displayPath, parseRelPath, type RelPath, SpacedriveError } from '../../storage/base/index.js'
import type { EntryStat } from '../../storage/files/index.js'
import type { FollowedEntry, FollowedPage } from '../../sync/endpoints/index.js'
import { wireError } from '../wire/index.js'
import type { Output } from './calls.js'
import { LISTED_ENTRIES_A_SECOND, LISTING_PATIENCE_MS, MAX_LISTED_ENTRIES, MAX_LISTED_NAME_BYTES } from './limits.js'

type Page = Output<'syncFollow'>
type Entries = Extract<Page, { kind: 'entries' }>

const KINDS = ['file', 'directory', 'symlink', 'other'] as const
/** Bytes of an entry: size (f64), three times (i64), inode (u64), mode (u16), kind (u8), each a column of its own. */
const COLUMNS = [8, 24, 8, 2, 1] as const
const ENTRY_BYTES = 43
/** What does not travel. */
const ELSEWHERE = { device: 0n, mount: 0n, links: 0, uid: 0 }

export function followedToWire(page: FollowedPage): { values: Page; data?: Uint8Array[] } {
  switch (page.kind) {
    case 'entries':
      return entriesToWire(page.entries)
    case 'since':
      return { values: { kind: 'since', moves: [...page.moves] } }
    case 'gone':
      return { values: { kind: 'gone', paths: [...page.paths] } }
    case 'end':
      return { values: { ...page, later: [...page.later] } }
    default:
      return { values: page }
  }
}

function entriesToWire(entries: readonly FollowedEntry[]): { values: Page; data: Uint8Array[] } {
  const count = entries.length
  const sizes = new Float64Array(count)
  const times = new BigInt64Array(3 * count)
  const inodes = new BigUint64Array(count)
  const modes = new Uint16Array(count)
  const kinds = new Uint8Array(count)
  const extras: Entries['extras'] = []
  for (const [index, { stat, target, unknown, problem, from }] of entries.entries()) {
    sizes[index] = stat.sizeBytes
    times.set([stat.mtimeNs, stat.ctimeNs, stat.birthNs], 3 * index)
    inodes[index] = stat.inode
    modes[index] = stat.mode
    kinds[index] = KINDS.indexOf(stat.kind)
    if (target !== undefined || unknown !== undefined || from !== undefined)
      extras.push({ index, target, unknown, problem, from })
  }
  return {
    values: { kind: 'entries', paths: entries.map(e => e.path).join('\0'), count, extras },
    data: [sizes, times, inodes, modes, kinds].map(column => new Uint8Array(column.buffer))
  }
}

const malformed = (why: string) => wireError('MALFORMED', `a list of changes is not in order: ${why}`)

/** @throws {SpacedriveError} MALFORMED when it is not what `followedToWire` makes: every path and number is looked at */
function entriesFromWire({ count, paths, extras }: Entries, data: Uint8Array<ArrayBuffer>): FollowedEntry[] {
  if (data.length !== count * ENTRY_BYTES) throw malformed('its length')
  const names = paths.split('\0') as RelPath[]
  if (names.length !== count) throw malformed('its number of names')
  let at = data.byteOffset
  const next = (bytes: number): ArrayBuffer => {
    at += bytes * count
    return data.buffer.slice(at - bytes * count, at)
  }
  const [a, b, c, d, e] = COLUMNS
  const [sizes, times] = [new Float64Array(next(a)), new BigInt64Array(next(b))]
  const [inodes, modes, kinds] = [new BigUint64Array(next(c)), new Uint16Array(next(d)), new Uint8Array(next(e))]
  const entries = names.map((path, i): FollowedEntry => {
    const [sizeBytes, mode, kind] = [sizes[i]!, modes[i]!, KINDS[kinds[i]!]]
    if (kind === undefined) throw malformed('a kind')
    if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0) throw malformed('a size')
    if ('refused' in parseRelPath(path)) throw malformed('a name')
    if (mode > 0o7777) throw malformed('a mode')
    const [mtimeNs, ctimeNs, birthNs] = [times[3 * i]!, times[3 * i + 1]!, times[3 * i + 2]!]
    const stat: EntryStat = { kind, sizeBytes, mtimeNs, ctimeNs, birthNs, inode: inodes[i]!, mode, ...ELSEWHERE }
    return { path, stat }
  })
  for (const { index, ...extra } of extras) {
    const entry = entries[index]
    if (entry === undefined) throw malformed('an index')
    entries[index] = { ...entry, ...extra }
  }
  return entries
}

/**
 * Pages as they must be: what was asked for, names of entries strictly in tree order, what is gone behind them, and one end, before
 * they hold more, or took longer, than a folder does.
 * @param init.since - only changes were asked for @param init.nowMs - of a clock that does not jump
 * @throws {SpacedriveError} MALFORMED, UNREACHABLE
 */
export async function* followedInOrder(
  parts: AsyncIterable<{ readonly value: Page; readonly data: Uint8Array<ArrayBuffer> }>,
  { since, nowMs }: { readonly since: boolean; nowMs(): number }
): AsyncGenerator<FollowedPage, void, void> {
  let begun: 'whole' | 'since' | undefined
  let [looked, told, nameBytes] = [0, 0, 0]
  /** For the other device alone, as of a listing. */
  let waitedMs = 0
  let askedMs = nowMs()
  let end: Extract<Page, { kind: 'end' }> | undefined
  let last: RelPath | undefined
  let gone = false
  for await (const { value, data } of parts) {
    waitedMs += nowMs() - askedMs
    if (end !== undefined) throw malformed('it goes on behind its end')
    if (value.kind !== 'looked' && value.kind !== 'whole' && value.kind !== 'since' && begun === undefined)
      throw malformed('its beginning is missing')
    switch (value.kind) {
      case 'looked':
        if (begun !== undefined) throw malformed('it looks again')
        looked += value.entries
        yield value
        break
      case 'whole':
      case 'since':
        if (begun !== undefined) throw malformed('it begins twice')
        if (value.kind === 'since' && !since) throw malformed('nothing was known')
        begun = value.kind
        yield value
        break
      case 'entries': {
        if (gone) throw malformed('entries behind what is gone')
        const entries = entriesFromWire(value, data)
        for (const { path } of entries) {
          if (last !== undefined && comparePaths(last, path) >= 0) throw malformed(`the place of ${displayPath(path)}`)
          last = path
          nameBytes += path.length
        }
        told += entries.length
        yield { kind: 'entries', entries }
        break
      }
      case 'gone':
        if (begun === 'whole') throw malformed('what is gone from everything')
        gone = true
        told += value.paths.length
        for (const path of value.paths) nameBytes += path.length
        yield value
        break
      default:
        end = value
    }
    if (Math.max(looked, told) > MAX_LISTED_ENTRIES || nameBytes > MAX_LISTED_NAME_BYTES)
      throw malformed('it has no end')
    if (waitedMs > LISTING_PATIENCE_MS + ((looked + told) / LISTED_ENTRIES_A_SECOND) * 1000)
      throw new SpacedriveError(
        'UNREACHABLE',
        `the device took ${Math.round(waitedMs / 60_000)} min to look at ${looked} names`
      )
    askedMs = nowMs()
  }
  if (end === undefined) throw malformed('its end is missing')
  yield end // only now: nothing came behind it
}
