/** Plans: reconcile over archive and snapshots, written row by row into a file of its own beside the snapshot. */
import { deserialize, serialize } from 'node:v8'
import { defineTasks, type RelPath, SpacedriveError, type TaskContext, toError } from '../../storage/base/index.js'
import { createHasher } from '../../storage/content/index.js'
import { removeFile } from '../../storage/files/index.js'
import { openSqlite, type Sql, withReader } from '../../storage/sql/index.js'
import {
  type ArchiveChange,
  ENDS,
  type End,
  foldResults,
  hashOperation,
  type Operation,
  type PlanRow,
  type Present,
  type ReconcileOptions,
  reconcile,
  type Settle,
  type Shown,
  Tally,
  type Totals,
  type Trace
} from '../reconcile/index.js'
import { Ignored, type IgnoreRules } from './ignored.js'
import { keysToPlan, optionsBasis } from './partial.js'
import { type Planned, SyncRows } from './rows.js'
import { signed } from './seen.js'

export interface PlanInput {
  readonly instanceFile: string
  readonly snapshotFile: string
  /** Made anew. */
  readonly planFile: string
  readonly sync: number
  readonly proves: Readonly<Record<End, boolean>>
  readonly ignore: readonly IgnoreRules[]
  readonly options: Omit<ReconcileOptions, 'ignores' | 'sourceEmpty'>
}

/** Facts about an end that guards need, beside the totals. */
export interface EndFacts {
  /** So many at least where it is FILES_COUNTED: see `countFiles`. */
  readonly files: number
  readonly rootEntries: number
  readonly rootEntriesAgreed: number
}

export interface PlanSummary {
  readonly totals: Totals
  /** BLAKE3 over the lines of its operations. */
  readonly hash: string
  readonly operations: number
  readonly holds: Readonly<Record<End, EndFacts>>
  /** All was compared, and not only what changed since it was. */
  readonly whole: boolean
  /** What this plan rests on besides the archive. */
  readonly basis: string
  /** Paths that were not alike; undefined: too many to be remembered. */
  readonly odd: readonly RelPath[] | undefined
}

/** Conflicts, problems and what stays unsettled, as the plan tells them. */
export type Remark = Extract<PlanRow, { row: 'conflict' | 'problem' | 'unsettled' }>

/** Pages of what the archive learns. */
const FOLD_PAGE = 1_000

export const planning = defineTasks(import.meta.url, {
  /** @returns undefined when the rows of renamed directories must come under their names first */
  async makePlan(input: PlanInput): Promise<PlanSummary | undefined> {
    for (const left of ['', '-wal', '-shm']) await removeFile(`${input.planFile}${left}`)
    const plan = openSqlite(input.planFile, { scratch: true })
    try {
      plan.exec(
        `CREATE TABLE operations (id INTEGER PRIMARY KEY, value BLOB NOT NULL) STRICT;
         CREATE TABLE settles (n INTEGER PRIMARY KEY, kind TEXT NOT NULL, value BLOB NOT NULL) STRICT;
         CREATE TABLE remarks (n INTEGER PRIMARY KEY, value BLOB NOT NULL) STRICT;
         CREATE TABLE achieved (
           id INTEGER PRIMARY KEY, mtime INTEGER NOT NULL, mode INTEGER NOT NULL, inode INTEGER, birth INTEGER
         ) STRICT`
      )
      return withReader(input.instanceFile, archive =>
        withReader(input.snapshotFile, snapshot => plan.transaction(() => write(plan, archive, snapshot, input)))
      )
    } catch (err) {
      if (err instanceof SpacedriveError) throw err
      throw new SpacedriveError('PLAN_FAILED', `could not plan: ${toError(err).message}`, {
        cause: err,
        hint: 'Nothing was touched. This is a fault of the program; renaming less at once may get around it.'
      })
    } finally {
      plan.close()
    }
  },

  /** Operations from a number on, in their order. */
  operations({ planFile, from, limit }: { planFile: string; from: number; limit: number }): Operation[] {
    return withPlan(planFile, sql =>
      values<Operation>(sql, 'SELECT value FROM operations WHERE id >= ? ORDER BY id LIMIT ?', [from, limit])
    )
  },

  remarks({ planFile, limit }: { planFile: string; limit: number }): Remark[] {
    return withPlan(planFile, sql => values<Remark>(sql, 'SELECT value FROM remarks ORDER BY n LIMIT ?', [limit]))
  },

  /** All files that an end holds. */
  countFiles({ snapshotFile, end }: { snapshotFile: string; end: End }): number {
    return withReader(snapshotFile, snapshot => countFiles(snapshot, end, -1))
  },

  /** What was read back after operations that were done. */
  achieved({ planFile, list }: { planFile: string; list: readonly { id: number; trace: Trace }[] }): void {
    withPlan(planFile, sql =>
      sql.transaction(() => {
        const insert = sql.prepare('INSERT OR REPLACE INTO achieved VALUES (?, ?, ?, ?, ?)')
        for (const { id, trace } of list) {
          const { mtimeNs, mode, identity } = trace
          insert.run([id, mtimeNs, mode, identity ? signed(identity.inode) : null, identity?.birthNs ?? null])
        }
      })
    )
  },

  /** What the archive learns of all that was achieved: pages of changes in their order, then what stays unsettled. */
  fold({ planFile }: { planFile: string }, ctx: TaskContext): { unsettled: { path: RelPath; why: string }[] } {
    return withPlan(planFile, sql => {
      const find = sql.prepare<never>('SELECT mtime, mode, inode, birth FROM achieved WHERE id = ?', {
        ...{ raw: true, bigint: true }
      })
      const achieved = (id: number): Trace | undefined => {
        const found = find.get([id]) as [bigint, bigint, bigint | null, bigint | null] | undefined
        if (found === undefined) return undefined
        const [mtimeNs, mode, inode, birthNs] = found
        const shown = { mtimeNs, mode: Number(mode) }
        return inode === null ? shown : { ...shown, identity: { inode: BigInt.asUintN(64, inode), birthNs: birthNs! } }
      }
      const unsettled = new Map<RelPath, string>()
      // Forgotten first, then everything moved at once, then what is put.
      for (const kind of ['forget', 'move', 'put'] as const) {
        const page: ArchiveChange[] = []
        const flush = (): void => {
          if (page.length > 0) ctx.emit(page.splice(0))
        }
        for (const settle of settles(sql, kind)) {
          const folded = foldResults([settle], achieved)
          page.push(...folded.changes)
          for (const path of folded.unsettled) unsettled.set(path, 'problem')
          if (kind !== 'move' && page.length >= FOLD_PAGE) flush()
        }
        flush()
      }
      for (const remark of values<Remark>(sql, 'SELECT value FROM remarks ORDER BY n', []))
        if (remark.row === 'unsettled') unsettled.set(remark.path, remark.why)
        else if (remark.row === 'problem') unsettled.set(remark.path, 'problem')
        else if (remark.resolution === 'waiting') unsettled.set(remark.path, 'conflict')
      return { unsettled: [...unsettled].map(([path, why]) => ({ path, why })) }
    })
  }
})

function write(plan: Sql, archive: Sql, snapshot: Sql, input: PlanInput): PlanSummary | undefined {
  const { sync, proves, ignore } = input
  const basis = optionsBasis(input)
  const only = keysToPlan({ archive, snapshot, input, basis })
  if (only === 'settle') return undefined
  const rows = new SyncRows({ archive, snapshot, sync, proves, only, ignored: () => new Ignored(ignore) })
  const ignored = new Ignored(ignore)
  const facts = (end: End): EndFacts => factsOf(archive, snapshot, sync, end)
  const holds = { source: facts('source'), destination: facts('destination') }
  const options: ReconcileOptions = {
    ...input.options,
    sourceEmpty: holds.source.rootEntries === 0,
    ...(ignored.none ? {} : { ignores: path => ignored.ignores(path) })
  }
  const insert = {
    operation: plan.prepare('INSERT INTO operations VALUES (?, ?)'),
    settle: plan.prepare('INSERT INTO settles (kind, value) VALUES (?, ?)'),
    remark: plan.prepare('INSERT INTO remarks (value) VALUES (?)')
  }
  const tally = new Tally()
  const hasher = createHasher()
  const lines = { update: (text: string) => hasher.update(Buffer.from(text)) }
  let operations = 0
  for (const row of reconcile(rows, options)) {
    tally.add(row)
    if (row.row === 'operation') {
      operations++
      hashOperation(lines, row.operation)
      insert.operation.run([row.operation.id, serialize(row.operation)])
    } else if (row.row === 'settle') insert.settle.run([row.settle.kind, serialize(slim(row.settle))])
    else insert.remark.run([serialize(row)])
  }
  const { odd } = rows
  return { totals: tally.totals, hash: hasher.digest(), operations, holds, whole: only === undefined, basis, odd }
}

/** Files of an end are counted no further than this, unless a guard would halt: going through a million takes 70 ms. */
export const FILES_COUNTED = 10_000

function factsOf(archive: Sql, snapshot: Sql, sync: number, end: End): EndFacts {
  const at = ENDS.indexOf(end)
  return {
    files: countFiles(snapshot, end, FILES_COUNTED),
    rootEntries: countAtRoot(snapshot, 'seen WHERE at = $owner', at),
    rootEntriesAgreed: countAtRoot(archive, 'sync_archive WHERE sync = $owner', sync)
  }
}

function countFiles(snapshot: Sql, end: End, limit: number): number {
  const some = 'SELECT 1 FROM seen WHERE at = ? AND kind IN (0, 2) LIMIT ?'
  return snapshot.prepare<{ n: number }>(`SELECT count(*) n FROM (${some})`).get([ENDS.indexOf(end), limit])!.n
}

/** From one name right below the root to the next, past all that lies below it: as many steps as there are such names. */
function countAtRoot(sql: Sql, from: string, owner: number): number {
  const name = `iif(instr(top.path, x'00') = 0, top.path, substr(top.path, 1, instr(top.path, x'00') - 1))`
  return sql
    .prepare<{ n: number }>(
      `WITH RECURSIVE top (path) AS (
         SELECT (SELECT path FROM ${from} ORDER BY path LIMIT 1)
         UNION ALL
         SELECT (SELECT path FROM ${from} AND path >= CAST(${name} || x'01' AS BLOB) ORDER BY path LIMIT 1)
         FROM top WHERE top.path IS NOT NULL
       ) SELECT count(path) n FROM top`
    )
    .get({ owner })!.n
}

function* settles(sql: Sql, kind: Settle['kind']): Generator<Settle> {
  const page = sql.prepare<{ n: number; value: Uint8Array }>(
    'SELECT n, value FROM settles WHERE kind = ? AND n > ? ORDER BY n LIMIT 1000'
  )
  for (let after = 0; ; ) {
    const rows = page.all([kind, after])
    for (const { value } of rows) yield deserialize(value) as Settle
    if (rows.length === 0) return
    after = rows.at(-1)!.n
  }
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

function withPlan<T>(planFile: string, fn: (sql: Sql) => T): T {
  const sql = openSqlite(planFile, { scratch: true })
  try {
    return fn(sql)
  } finally {
    sql.close()
  }
}
