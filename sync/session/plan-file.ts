/** The file of a plan, beside the snapshot: written row by row, since a plan of a million operations must not be held. */
import { deserialize, serialize } from 'node:v8'
import type { RelPath } from '../../storage/base/index.js'
import { openSqlite, type Sql } from '../../storage/sql/index.js'
import type { Operation, PlanRow, Present, Settle, Shown, Trace } from '../reconcile/index.js'
import type { Planned } from './rows.js'
import { signed } from './seen.js'

/** Conflicts, problems and what stays unsettled, as the plan tells them. */
export type Remark = Extract<PlanRow, { row: 'conflict' | 'problem' | 'unsettled' }>

const TABLES = `
  CREATE TABLE operations (id INTEGER PRIMARY KEY, value BLOB NOT NULL) STRICT;
  CREATE TABLE settles (n INTEGER PRIMARY KEY, kind TEXT NOT NULL, value BLOB NOT NULL) STRICT;
  CREATE TABLE remarks (n INTEGER PRIMARY KEY, value BLOB NOT NULL) STRICT;
  CREATE TABLE achieved (
    id INTEGER PRIMARY KEY, mtime INTEGER NOT NULL, mode INTEGER NOT NULL, inode INTEGER, birth INTEGER
  ) STRICT`

/** Opens the file of a plan for one task. All that is read in `fn` is one state of it. */
export function withPlan<T>(planFile: string, fn: (sql: Sql) => T extends PromiseLike<unknown> ? never : T): T {
  const sql = openSqlite(planFile, { scratch: true })
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

/** @returns what puts down the rows of a plan into an empty file, in their order */
export function planWriter(sql: Sql): (row: PlanRow) => void {
  sql.exec(TABLES)
  const operation = sql.prepare('INSERT INTO operations VALUES (?, ?)')
  const settle = sql.prepare('INSERT INTO settles (kind, value) VALUES (?, ?)')
  const remark = sql.prepare('INSERT INTO remarks (value) VALUES (?)')
  return row => {
    if (row.row === 'operation') operation.run([row.operation.id, serialize(row.operation)])
    else if (row.row === 'settle') settle.run([row.settle.kind, serialize(slim(row.settle))])
    else remark.run([serialize(row)])
  }
}

/** Operations from a number on, in their order. */
export const readOperations = (sql: Sql, from: number, limit: number): Operation[] =>
  values<Operation>(sql, 'SELECT value FROM operations WHERE id >= ? ORDER BY id LIMIT ?', [from, limit])

/** @param limit - left out: all of them */
export const readRemarks = (sql: Sql, limit = -1): Remark[] =>
  values<Remark>(sql, 'SELECT value FROM remarks ORDER BY n LIMIT ?', [limit])

/** The next ones of a kind, each with its number. */
export function readSettles(
  sql: Sql,
  kind: Settle['kind'],
  { after, limit }: { after: number; limit: number }
): { n: number; settle: Settle }[] {
  return sql
    .prepare<{ n: number; value: Uint8Array }>(
      'SELECT n, value FROM settles WHERE kind = ? AND n > ? ORDER BY n LIMIT ?'
    )
    .all([kind, after, limit])
    .map(({ n, value }) => ({ n, settle: deserialize(value) as Settle }))
}

/** Notes what was read back after operations that were done. */
export function noteAchieved(sql: Sql, list: readonly { readonly id: number; readonly trace: Trace }[]): void {
  const insert = sql.prepare('INSERT OR REPLACE INTO achieved VALUES (?, ?, ?, ?, ?)')
  for (const { id, trace } of list) {
    const { mtimeNs, mode, identity } = trace
    insert.run([id, mtimeNs, mode, identity ? signed(identity.inode) : null, identity?.birthNs ?? null])
  }
}

/** @returns what was read back after an operation; undefined: it was not done */
export function achievedFinder(sql: Sql): (id: number) => Trace | undefined {
  const find = sql.prepare<never>('SELECT mtime, mode, inode, birth FROM achieved WHERE id = ?', {
    ...{ raw: true, bigint: true }
  })
  // Asked whether it was done, and then for what it made.
  let last: { readonly id: number; readonly trace: Trace | undefined } | undefined
  return id => {
    if (last?.id !== id) last = { id, trace: traceOf(find.get([id])) }
    return last.trace
  }
}

function traceOf(found: unknown): Trace | undefined {
  if (found === undefined) return undefined
  const [mtimeNs, mode, inode, birthNs] = found as [bigint, bigint, bigint | null, bigint | null]
  const shown = { mtimeNs, mode: Number(mode) }
  return inode === null ? shown : { ...shown, identity: { inode: BigInt.asUintN(64, inode), birthNs: birthNs! } }
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

/** Without what only the doing of a plan needs. */
function slim(settle: Settle): Settle {
  if (settle.kind !== 'put') return settle
  const { what, source, destination } = settle
  const shown = (s: Shown | undefined): Shown | undefined => {
    if (s === undefined || 'by' in s) return s
    const { mtimeNs, mode, identity } = s.now
    return { now: { mtimeNs, mode, identity } }
  }
  const { stat: _, ...content } = what as Planned
  return { ...settle, what: content as Present, source: shown(source), destination: shown(destination) } as Settle
}

function values<T>(sql: Sql, text: string, params: number[]): T[] {
  return sql
    .prepare<{ value: Uint8Array }>(text)
    .all(params)
    .map(({ value }) => deserialize(value) as T)
}
