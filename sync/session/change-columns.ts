/** What a batch did, on its way to the thread that writes it down: as columns (see `StatColumns`). */
import type { ContentHash, RelPath } from '../../storage/base/index.js'
import { HASH_BYTES, hashToBytes } from '../../storage/content/index.js'
import type { SqlValue } from '../../storage/sql/index.js'
import { ENDS, type End } from '../reconcile/index.js'
import { pathKey, pathKeys } from './path-key.js'

/** One operation that was done at an end. */
export interface Change {
  /** Within its run, in the order in which it was done. */
  readonly n: number
  readonly end: End
  readonly path: RelPath
  /** Of a move. */
  readonly to?: RelPath | undefined
  readonly kind: ChangeKind
  readonly reason: string
  /** Of a file's content, or of where a link leads. */
  readonly before?: ContentHash | undefined
  readonly after?: ContentHash | undefined
}

const KINDS = ['create', 'replace', 'remove', 'make-directory', 'remove-directory', 'move', 'attributes'] as const
export type ChangeKind = (typeof KINDS)[number]

export interface ChangeColumns {
  readonly ns: Float64Array<ArrayBuffer>
  /** Joined by NUL, which no path holds, as are the reasons. */
  readonly paths: string
  readonly reasons: string
  /** Of moves, by their places. */
  readonly to: ReadonlyMap<number, RelPath>
  /** Three each: the end, the kind, and which of the two hashes there are. */
  readonly facts: Uint8Array<ArrayBuffer>
  /** Two each: before and after. */
  readonly hashes: Uint8Array<ArrayBuffer>
}

const [BEFORE, AFTER] = [1, 2]

export function toChangeColumns(changes: readonly Change[]): ChangeColumns {
  const { length } = changes
  const [ns, facts] = [new Float64Array(length), new Uint8Array(3 * length)]
  const hashes = new Uint8Array(2 * HASH_BYTES * length)
  const to = new Map<number, RelPath>()
  for (const [i, change] of changes.entries()) {
    const { before, after } = change
    ns[i] = change.n
    facts[3 * i] = ENDS.indexOf(change.end)
    facts[3 * i + 1] = KINDS.indexOf(change.kind)
    facts[3 * i + 2] = (before === undefined ? 0 : BEFORE) | (after === undefined ? 0 : AFTER)
    if (before !== undefined) hashes.set(hashToBytes(before), 2 * HASH_BYTES * i)
    if (after !== undefined) hashes.set(hashToBytes(after), 2 * HASH_BYTES * i + HASH_BYTES)
    if (change.to !== undefined) to.set(i, change.to)
  }
  const joined = (of: (change: Change) => string): string => changes.map(of).join(NUL)
  return { ns, paths: joined(c => c.path), reasons: joined(c => c.reason), to, facts, hashes }
}

/** What stands in each row of a batch, and the number of what was done and why. */
export interface ChangeRowFacts {
  /** Numbers, as the instance database has them. */
  readonly run: number
  readonly sync: number
  readonly doneAtMs: number
  kindNumber(kind: ChangeKind, reason: string): number
}

/** Values of the columns of `sync_change_rows`, one row after the other. */
export function changeValues(
  { ns, paths, reasons, to, facts, hashes }: ChangeColumns,
  { run, sync, doneAtMs, kindNumber }: ChangeRowFacts
): SqlValue[] {
  const keys = pathKeys(paths)
  const whys = reasons.split(NUL)
  const values: SqlValue[] = []
  for (let i = 0; i < ns.length; i++) {
    const [end, kind, marks] = [facts[3 * i]!, KINDS[facts[3 * i + 1]!]!, facts[3 * i + 2]!]
    const [at, target] = [2 * HASH_BYTES * i, to.get(i)]
    const before = (marks & BEFORE) === 0 ? null : hashes.subarray(at, at + HASH_BYTES)
    const after = (marks & AFTER) === 0 ? null : hashes.subarray(at + HASH_BYTES, at + 2 * HASH_BYTES)
    values.push(run, ns[i]!, sync, doneAtMs, end, keys[i]!, target === undefined ? null : pathKey(target))
    values.push(kindNumber(kind, whys[i]!), before, after)
  }
  return values
}

/** The buffers that change hands. */
export const changeBuffers = ({ ns, facts, hashes }: ChangeColumns): ArrayBuffer[] => [
  ...[ns.buffer, facts.buffer, hashes.buffer]
]

const NUL = '\0'
