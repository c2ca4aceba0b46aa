/**
 * The file of a plan, beside the snapshot, since a plan of a million operations must not be held. Operations and what they settle
 * stand in blocks of some hundred: written, read and handed from thread to thread as they are, and made values of where they
 * are needed.
 */
import { deserialize, serialize } from 'node:v8'
import type { RelPath } from '../../storage/base/index.js'
import { openSqlite, type Sql } from '../../storage/sql/index.js'
import type { End, Operation, PlanRow, Settle } from '../reconcile/index.js'
import { fromOperationColumns, type OperationColumns, toOperationColumns } from './operation-columns.js'
import { fromSettleColumns, type SettleColumns, toSettleColumns } from './settle-columns.js'
import { TRACES_TABLE } from './traces.js'

/** Conflicts, problems and what stays unsettled, as the plan tells them. */
export type Remark = Extract<PlanRow, { row: 'conflict' | 'problem' | 'unsettled' }>

/** Of a file that is written and read in the order in which it lies: hardly any page is wanted twice. */
export const PLAN_CACHE_KIB = 1024
/** Operations, or settles of one kind, in a row: some 100 KB. */
const BLOCK = 250

const TABLES = `
  CREATE TABLE operations (first INTEGER PRIMARY KEY, last INTEGER NOT NULL, value BLOB NOT NULL) STRICT;
  CREATE TABLE settles (n INTEGER PRIMARY KEY, kind TEXT NOT NULL, ready INTEGER NOT NULL, value BLOB NOT NULL) STRICT;
  CREATE TABLE remarks (n INTEGER PRIMARY KEY, value BLOB NOT NULL) STRICT;
  ${TRACES_TABLE}`

/**
 * Who writes waits for who reads, who writes an archive meanwhile: on a machine that is busy, with a slow disk, that takes
 * seconds. None of them waits for the other in turn, so nothing is gained by giving up soon.
 */
const BUSY_TIMEOUT_MS = 5 * 60_000

/** Opens the file of a plan for one task. All that is read in `fn` is one state of it. */
export function withPlan<T>(planFile: string, fn: (sql: Sql) => T extends PromiseLike<unknown> ? never : T): T {
  const sql = openSqlite(planFile, { scratch: true, cacheKiB: PLAN_CACHE_KIB, busyTimeoutMs: BUSY_TIMEOUT_MS })
  try {
    // Without it each of thousands of reads would lock the file for itself.
    sql.exec('BEGIN')
    const result = fn(sql) as T
    sql.exec('COMMIT')
    return result
  } finally {
    sql.close()
  }
}

export interface PlanWriter {
  /** In their order. */
  put(row: PlanRow): void
  /** After the last one. */
  end(): void
}

/** Into an empty file. */
export function planWriter(sql: Sql): PlanWriter {
  sql.exec(TABLES)
  const insert = {
    operations: sql.prepare('INSERT INTO operations VALUES (?, ?, ?)'),
    settles: sql.prepare('INSERT INTO settles (kind, ready, value) VALUES (?, ?, ?)'),
    remark: sql.prepare('INSERT INTO remarks (value) VALUES (?)')
  }
  let operations: Operation[] = []
  const settles: Record<Settle['kind'], Settle[]> = { forget: [], move: [], put: [] }
  let last = -1
  const putOperations = (): void => {
    const [first] = operations
    if (first !== undefined) insert.operations.run([first.id, last, serialize(toOperationColumns(operations))])
    operations = []
  }
  const putSettles = (kind: Settle['kind']): void => {
    const some = settles[kind]
    if (some.length > 0) insert.settles.run([kind, Math.max(...some.map(readyAfter)), serialize(toSettleColumns(some))])
    settles[kind] = []
  }
  return {
    put(row) {
      if (row.row === 'operation') {
        const { id } = row.operation
        if (id <= last) throw new RangeError(`expected an operation after number ${last}, got ${id}`)
        last = id
        if (operations.push(row.operation) === BLOCK) putOperations()
      } else if (row.row === 'settle') {
        const { kind } = row.settle
        if (settles[kind].push(row.settle) === BLOCK) putSettles(kind)
      } else insert.remark.run([serialize(row)])
    },
    end() {
      putOperations()
      for (const kind of ['forget', 'move', 'put'] as const) putSettles(kind)
    }
  }
}

/** Some operations as they stand in the file: handed from thread to thread in one piece. */
export interface OperationPage {
  readonly bytes: Uint8Array<ArrayBuffer>
  /** Where each block ends. */
  readonly ends: readonly number[]
  readonly transfer: readonly ArrayBuffer[]
}

/** From the block on that an operation is in, or would be: found by its number, however many come before it. */
export const BLOCKS_FROM = `
  SELECT value FROM operations WHERE first >= coalesce((SELECT max(first) FROM operations WHERE first <= ?), 0)
  ORDER BY first LIMIT ?`

/** All of the blocks that hold operations from a number on, up to `limit` of them. */
export function readOperations(sql: Sql, from: number, limit: number): OperationPage {
  const blocks = sql.prepare<{ value: Uint8Array }>(BLOCKS_FROM).all([from, Math.ceil(limit / BLOCK) + 1])
  const bytes = new Uint8Array(blocks.reduce((sum, { value }) => sum + value.length, 0))
  const ends: number[] = []
  let at = 0
  for (const { value } of blocks) {
    bytes.set(value, at)
    at += value.length
    ends.push(at)
  }
  return { bytes, ends, transfer: [bytes.buffer] }
}

/** Operations of a page, from a number on, in their order. */
export function operationsIn({ bytes, ends }: OperationPage, from: number, limit: number): Operation[] {
  const found = ends.flatMap((end, i) =>
    fromOperationColumns(deserialize(bytes.subarray(ends[i - 1] ?? 0, end)) as OperationColumns)
  )
  return found.filter(op => op.id >= from).slice(0, limit)
}

/** What takes something away or puts other content in its place is what a person looks for; renames after it. */
const SHOWN_FIRST: Readonly<Partial<Record<Operation['kind'], number>>> = {
  ...{ remove: 0, 'remove-directory': 0, replace: 0 },
  ...{ move: 1, park: 1, unpark: 1 }
}

/** A line of a plan as a person sees it. */
export interface PlannedOperation {
  readonly kind: Operation['kind']
  readonly end: End
  readonly path: RelPath
  readonly to: RelPath | undefined
  readonly reason: string
}

/** Some operations for a person to look at: those first that take something away, then renames, then the rest, each in their order. */
export function operationsToShow(sql: Sql, limit: number): PlannedOperation[] {
  const ranks: [Operation[], Operation[], Operation[]] = [[], [], []]
  const blocks = sql.prepare<{ value: Uint8Array }>('SELECT value FROM operations ORDER BY first').iterate([])
  for (const { value } of blocks) {
    for (const op of fromOperationColumns(deserialize(value) as OperationColumns)) {
      const rank = ranks[SHOWN_FIRST[op.kind] ?? 2]!
      if (rank.length < limit) rank.push(op)
    }
    if (ranks[0].length === limit) break
  }
  const shown = ranks.flat().slice(0, limit)
  return shown.map(op => ({
    ...{ kind: op.kind, end: op.end, path: op.path, reason: op.reason },
    to: op.kind === 'move' ? op.to : undefined
  }))
}

/** @param limit - left out: all of them */
export const readRemarks = (sql: Sql, limit = -1): Remark[] =>
  sql
    .prepare<{ value: Uint8Array }>('SELECT value FROM remarks ORDER BY n LIMIT ?')
    .all([limit])
    .map(({ value }) => deserialize(value) as Remark)

/** A block of what is settled, and its number. */
export interface SettleBlock {
  readonly n: number
  /** The last operation that it speaks of: once that is done, or never will be, it is known what came of the block. */
  readonly ready: number
  readonly settles: readonly Settle[]
}

/** The next blocks of a kind, up to the first one of which it is not known yet what came of it. */
export function readSettles(
  sql: Sql,
  kind: Settle['kind'],
  { after, limit, decided }: { after: number; limit: number; decided: number }
): { readonly blocks: SettleBlock[]; readonly waits: boolean } {
  const found = sql
    .prepare<{ n: number; ready: number; value: Uint8Array }>(
      'SELECT n, ready, value FROM settles WHERE kind = ? AND n > ? ORDER BY n LIMIT ?'
    )
    .all([kind, after, limit])
  const first = found.findIndex(({ ready }) => ready > decided)
  const known = first === -1 ? found : found.slice(0, first)
  const blocks = known.map(({ value, ...block }) => ({
    ...block,
    settles: fromSettleColumns(deserialize(value) as SettleColumns)
  }))
  return { blocks, waits: first !== -1 }
}

/** Paths that a plan leaves to the next session, and why. */
export function unsettledByPlan(sql: Sql): { path: RelPath; why: string }[] {
  const unsettled = new Map<RelPath, string>()
  for (const remark of readRemarks(sql))
    if (remark.row === 'unsettled') unsettled.set(remark.path, remark.why)
    else if (remark.row === 'problem') unsettled.set(remark.path, 'problem')
    else if (remark.resolution === 'waiting') unsettled.set(remark.path, 'conflict')
  return [...unsettled].map(([path, why]) => ({ path, why }))
}

/** The last operation that a settle speaks of; -1: it speaks of none. */
function readyAfter(settle: Settle): number {
  let last = -1
  for (const id of settle.needs) last = Math.max(last, id)
  if (settle.kind !== 'put') return last
  for (const shown of [settle.source, settle.destination])
    if (shown !== undefined && 'by' in shown) last = Math.max(last, shown.by)
  return last
}
