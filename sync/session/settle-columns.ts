/** What is settled, as it stands in the file of a plan: as columns (see `StatColumns`), of what is put all that the archive takes up. */
import type { RelPath } from '../../storage/base/index.js'
import { HASH_BYTES, hashFromBytes, hashToBytes } from '../../storage/content/index.js'
import { type Content, isUnread, type Settle, type Shown, UNREAD } from '../reconcile/index.js'
import { signed } from './seen.js'

export interface SettleColumns {
  /** Joined by NUL, which no path holds. */
  readonly paths: string
  /** Three each: the kind of what is put, whether its hash is known, and how many operations it needs. */
  readonly facts: Uint8Array<ArrayBuffer>
  readonly sizes: Float64Array<ArrayBuffer>
  /** One after the other, as are the needs. */
  readonly hashes: Uint8Array<ArrayBuffer>
  readonly needs: Float64Array<ArrayBuffer>
  /** Two each, of the ends: the operation that makes what it shows; NOW: it shows that already. */
  readonly by: Float64Array<ArrayBuffer>
  /** What they show already. */
  readonly modes: Uint16Array<ArrayBuffer>
  readonly proven: Uint8Array<ArrayBuffer>
  /** Three each: mtime, inode, birth; neither of these two where nothing proves which thing it is. */
  readonly numbers: BigInt64Array<ArrayBuffer>
  /** By their places: where links lead, and what is otherwise settled than by putting what both ends have. */
  readonly targets: ReadonlyMap<number, string>
  readonly others: ReadonlyMap<number, Settle>
}

type Put = Extract<Settle, { kind: 'put' }> & { readonly source: Shown; readonly destination: Shown }

const KINDS = ['file', 'directory', 'symlink'] as const
const NOW = -1
const [FACTS, TRACE] = [3, 3]
/** In a byte. */
const MAX_NEEDS = 255

export function toSettleColumns(settles: readonly Settle[]): SettleColumns {
  const { length } = settles
  const [facts, sizes] = [new Uint8Array(FACTS * length), new Float64Array(length)]
  const [by, modes] = [new Float64Array(2 * length), new Uint16Array(2 * length)]
  const [proven, numbers] = [new Uint8Array(2 * length), new BigInt64Array(2 * TRACE * length)]
  const hashes = new Uint8Array(HASH_BYTES * length)
  const [targets, others] = [new Map<number, string>(), new Map<number, Settle>()]
  const paths: RelPath[] = []
  const needs: number[] = []
  let hashed = 0
  const show = (shown: Shown, at: number): void => {
    by[at] = 'by' in shown ? shown.by : NOW
    if ('by' in shown) return
    const { mtimeNs, mode, identity } = shown.now
    modes[at] = mode
    numbers[TRACE * at] = mtimeNs
    if (identity === undefined) return
    proven[at] = 1
    numbers[TRACE * at + 1] = signed(identity.inode)
    numbers[TRACE * at + 2] = identity.birthNs
  }
  for (let i = 0; i < length; i++) {
    const settle = settles[i]!
    paths.push(settle.path)
    if (!isPlain(settle)) {
      others.set(i, settle)
      continue
    }
    const { what } = settle
    facts[FACTS * i] = KINDS.indexOf(what.kind)
    facts[FACTS * i + 2] = settle.needs.length
    for (const need of settle.needs) needs.push(need)
    if (what.kind === 'symlink') targets.set(i, what.target)
    if (what.kind === 'file') {
      sizes[i] = what.sizeBytes
      if (!isUnread(what.hash)) {
        facts[FACTS * i + 1] = 1
        hashes.set(hashToBytes(what.hash), HASH_BYTES * hashed++)
      }
    }
    show(settle.source, 2 * i)
    show(settle.destination, 2 * i + 1)
  }
  return {
    ...{ paths: paths.join(NUL), facts, sizes, by, modes, proven, numbers, targets, others },
    ...{ hashes: hashes.slice(0, HASH_BYTES * hashed), needs: Float64Array.from(needs) }
  }
}

const isPlain = (settle: Settle): settle is Put =>
  settle.kind === 'put' &&
  settle.source !== undefined &&
  settle.destination !== undefined &&
  settle.keptAt === undefined &&
  settle.needs.length <= MAX_NEEDS

export function fromSettleColumns(columns: SettleColumns): Settle[] {
  const { facts, sizes, hashes, needs, by, modes, proven, numbers, targets, others } = columns
  let [hashesAt, needsAt] = [0, 0]
  const contentOf = (i: number): Content => {
    const kind = KINDS[facts[FACTS * i]!]!
    if (kind === 'symlink') return { kind, target: targets.get(i)! }
    if (kind === 'directory') return { kind }
    const sizeBytes = sizes[i]!
    if (facts[FACTS * i + 1] === 0) return { kind, hash: UNREAD, sizeBytes }
    const hash = hashFromBytes(hashes.subarray(hashesAt, hashesAt + HASH_BYTES))
    hashesAt += HASH_BYTES
    return { kind, hash, sizeBytes }
  }
  const shownAt = (at: number): Shown => {
    if (by[at] !== NOW) return { by: by[at]! }
    const [mtimeNs, mode] = [numbers[TRACE * at]!, modes[at]!]
    if (proven[at] === 0) return { now: { mtimeNs, mode } }
    const inode = BigInt.asUintN(64, numbers[TRACE * at + 1]!)
    return { now: { mtimeNs, mode, identity: { inode, birthNs: numbers[TRACE * at + 2]! } } }
  }
  return columns.paths.split(NUL).map((name, i): Settle => {
    const other = others.get(i)
    if (other !== undefined) return other
    const needed: number[] = []
    for (const last = needsAt + facts[FACTS * i + 2]!; needsAt < last; needsAt++) needed.push(needs[needsAt]!)
    const [source, destination] = [shownAt(2 * i), shownAt(2 * i + 1)]
    return { kind: 'put', path: name as RelPath, what: contentOf(i), source, destination, needs: needed }
  })
}

const NUL = '\0'
