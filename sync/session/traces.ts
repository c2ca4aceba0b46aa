/** What was read back after operations: as columns from thread to thread, and as these in the file of a plan, a row for each batch. */
import { deserialize, serialize } from 'node:v8'
import { HASH_BYTES, hashFromBytes, hashToBytes } from '../../storage/content/index.js'
import type { Capabilities } from '../../storage/files/index.js'
import type { Sql } from '../../storage/sql/index.js'
import type { Outcome } from '../reconcile/index.js'
import type { Done } from './achieved.js'
import { signed } from './seen.js'

/** See `EntryColumns`. */
export interface TraceColumns {
  /** Of the operations, the smallest first. */
  readonly ids: Float64Array<ArrayBuffer>
  readonly modes: Uint16Array<ArrayBuffer>
  /** Three each: mtime, inode, birth; neither of these two where nothing proves which thing it is. */
  readonly numbers: BigInt64Array<ArrayBuffer>
  readonly identities: Uint8Array<ArrayBuffer>
  /** Of content that was read when it was brought; empty where all hashes were planned. */
  readonly hashes: Uint8Array<ArrayBuffer>
  readonly learnt: Uint8Array<ArrayBuffer>
}

/** What is known of the end, and of the plan. */
export interface TracesOf extends Pick<Capabilities, 'keepsIdentity'> {
  /** The plan has no hashes of what nobody had read: they go with what was read back. */
  readonly unread: boolean
}

export function toTraceColumns(done: readonly Done[], { keepsIdentity, unread }: TracesOf): TraceColumns {
  const list = isInOrder(done) ? done : oneEach(done)
  const { length } = list
  const [ids, modes] = [new Float64Array(length), new Uint16Array(length)]
  const [numbers, identities] = [new BigInt64Array(3 * length), new Uint8Array(length)]
  const learnt = new Uint8Array(length)
  const hashes = new Uint8Array(unread ? HASH_BYTES * length : 0)
  for (let i = 0; i < length; i++) {
    const { op, stat } = list[i]!
    ids[i] = op.id
    if (stat === undefined) continue
    modes[i] = stat.mode & 0o7777
    numbers[3 * i] = stat.mtimeNs
    if (unread && op.kind === 'create' && op.content.kind === 'file') {
      learnt[i] = 1
      hashes.set(hashToBytes(op.content.hash), HASH_BYTES * i)
    }
    if (!keepsIdentity || stat.birthNs === 0n) continue
    identities[i] = 1
    numbers[3 * i + 1] = signed(stat.inode)
    numbers[3 * i + 2] = stat.birthNs
  }
  return { ids, modes, numbers, identities, hashes, learnt }
}

const isInOrder = (done: readonly Done[]): boolean => done.every(({ op }, i) => i === 0 || done[i - 1]!.op.id < op.id)

/** Of an operation that is two steps, what it replaces leaving and its own coming, what came. */
function oneEach(done: readonly Done[]): Done[] {
  const found = new Map<number, Done>()
  for (const one of done) if (one.stat !== undefined || !found.has(one.op.id)) found.set(one.op.id, one)
  return [...found.values()].sort((a, b) => a.op.id - b.op.id)
}

export const traceBuffersOf = ({ ids, modes, numbers, identities, hashes, learnt }: TraceColumns): ArrayBuffer[] => [
  ...[ids.buffer, modes.buffer, numbers.buffer, identities.buffer, hashes.buffer, learnt.buffer]
]

export const TRACES_TABLE = `
  CREATE TABLE achieved (last INTEGER PRIMARY KEY, first INTEGER NOT NULL, value BLOB NOT NULL) STRICT`

/** Notes what was read back after operations that were done, each time of others that come after those before. */
export function noteAchieved(sql: Sql, traces: TraceColumns): void {
  const { ids } = traces
  const [first, last] = [ids[0], ids.at(-1)]
  if (first === undefined || last === undefined) return
  sql.prepare('INSERT INTO achieved VALUES (?, ?, ?)').run([last, first, serialize(traces)])
}

/** Held at once by a finder: some megabytes. Settles ask in the order of their operations, those of folders in one of their own. */
const MAX_HELD = 8

/** @returns what was read back after an operation; undefined: it was not done */
export function achievedFinder(sql: Sql): (id: number) => Outcome | undefined {
  const held: TraceColumns[] = []
  const load = (id: number): TraceColumns | undefined => {
    const found = sql
      .prepare<{ value: Uint8Array }>('SELECT value FROM achieved WHERE last >= ? ORDER BY last LIMIT 1')
      .get([id])
    return found && (deserialize(found.value) as TraceColumns)
  }
  const holding = (id: number): TraceColumns | undefined => {
    const known = held.find(({ ids }) => ids[0]! <= id && id <= ids.at(-1)!)
    const traces = known ?? load(id)
    if (known !== undefined || traces === undefined) return traces
    if (held.push(traces) > MAX_HELD) held.shift()
    return traces
  }
  // Asked whether it was done, and then for what it made.
  let last: { readonly id: number; readonly trace: Outcome | undefined } | undefined
  return id => {
    if (last?.id !== id) {
      const traces = holding(id)
      last = { id, trace: traces && traceIn(traces, id) }
    }
    return last.trace
  }
}

function traceIn({ ids, modes, numbers, identities, hashes, learnt }: TraceColumns, id: number): Outcome | undefined {
  let [from, to] = [0, ids.length]
  while (from < to) {
    const middle = (from + to) >> 1
    if (ids[middle]! < id) from = middle + 1
    else to = middle
  }
  const i = from
  if (ids[i] !== id) return undefined
  const identity = { inode: BigInt.asUintN(64, numbers[3 * i + 1]!), birthNs: numbers[3 * i + 2]! }
  return {
    ...{ mtimeNs: numbers[3 * i]!, mode: modes[i]! },
    ...(identities[i] === 1 && { identity }),
    ...(learnt[i] === 1 && { hash: hashFromBytes(hashes.subarray(HASH_BYTES * i, HASH_BYTES * (i + 1))) })
  }
}
