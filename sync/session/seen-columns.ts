/** What another thread told in columns, written into the snapshot: many rows at once, without a value made of each. */
import { pathBytes } from '../../storage/base/index.js'
import { hashToBytes } from '../../storage/content/index.js'
import { RowStatement, type Sql, type SqlValue } from '../../storage/sql/index.js'
import { type ContentColumns, type EntryColumns, hashIn, isRacyIn } from '../endpoints/index.js'
import type { End } from '../reconcile/index.js'
import { pathKeys } from './path-key.js'
import { endNumber, PUT_SEEN, type SeenRow } from './seen.js'

/** Kinds of a look are those of `seen`, where what is none of the other three is unknown. */
const [FILE, DIRECTORY, UNKNOWN] = [0, 1, 3]

/** Keys of the paths of entries. */
export const keysOf = ({ count, paths }: EntryColumns): Uint8Array[] => (count === 0 ? [] : pathKeys(paths))

/** Things as a walk met them. @param keys - of their paths */
export function putEntries(sql: Sql, at: End, entries: EntryColumns, keys: readonly Uint8Array[]): void {
  const values: SqlValue[] = []
  const extras = extrasOf(entries)
  for (let i = 0; i < entries.count; i++) {
    const { target, unknown } = extras.get(i) ?? NOTHING
    const kind = unknown === undefined ? entries.kinds[i]! : UNKNOWN
    values.push(endNumber(at), keys[i]!, kind)
    pushStat(values, entries, i)
    const reason = kind === UNKNOWN ? (unknown ?? 'special') : null
    const directory = kind === UNKNOWN && entries.kinds[i] === DIRECTORY ? 1 : 0
    values.push(null, target === undefined || kind === UNKNOWN ? null : pathBytes(target), reason, directory, 0)
  }
  PUT_SEEN.run(sql, values)
}

/**
 * Things that a batch made.
 * @param keys - of their paths
 * @param before - what stood there: what only got other times, or was renamed, has the content that it had
 */
export function putMade(
  sql: Sql,
  at: End,
  rows: ContentColumns,
  keys: readonly Uint8Array[],
  before: (key: Uint8Array) => SeenRow | undefined
): void {
  const { entries } = rows
  const values: SqlValue[] = []
  const extras = extrasOf(entries)
  for (let i = 0; i < entries.count; i++) {
    const [kind, learnt, made] = [entries.kinds[i]!, hashIn(rows, i), extras.get(i)?.target]
    const known = kind === DIRECTORY || learnt !== undefined || made !== undefined ? undefined : before(keys[i]!)
    const hash = learnt ?? (known?.hash === undefined ? null : hashToBytes(known.hash))
    const target = made ?? known?.target
    values.push(endNumber(at), keys[i]!, kind)
    pushStat(values, entries, i)
    values.push(hash, target === undefined ? null : pathBytes(target), null, 0, known?.racy === true ? 1 : 0)
  }
  PUT_SEEN.run(sql, values)
}

const HASHED = new RowStatement(
  10,
  rows => `
  WITH hashed (end, key, size, mtime, ctime, birth, inode, mode, hash, racy) AS (VALUES ${rows})
  UPDATE seen SET size = h.size, mtime = h.mtime, ctime = h.ctime, birth = h.birth, inode = h.inode, mode = h.mode, hash = h.hash,
    racy = h.racy FROM hashed h WHERE seen.at = h.end AND seen.path = h.key AND seen.kind = ${FILE}`
)

/** Hashes of files, with the stats that they have. */
export function putHashes(sql: Sql, at: End, rows: ContentColumns, keys: readonly Uint8Array[]): void {
  const { entries } = rows
  const values: SqlValue[] = []
  for (let i = 0; i < entries.count; i++) {
    values.push(endNumber(at), keys[i]!)
    pushStat(values, entries, i)
    values.push(hashIn(rows, i)!, isRacyIn(rows, i) ? 1 : 0)
  }
  HASHED.run(sql, values)
}

/** Size, times, inode and mode, in the order of `COLUMNS`. */
function pushStat(values: SqlValue[], { sizes, timesNs, ids, numbers }: EntryColumns, i: number): void {
  const at = 3 * i
  values.push(sizes[i]!, timesNs[at]!, timesNs[at + 1]!, timesNs[at + 2]!)
  values.push(BigInt.asIntN(64, ids[at + 1]!), numbers[4 * i]!)
}

type Extras = EntryColumns['extras'][number]

const extrasOf = ({ extras }: EntryColumns): ReadonlyMap<number, Extras> =>
  new Map(extras.map(extra => [extra.index, extra]))

const NOTHING: Partial<Extras> = {}
