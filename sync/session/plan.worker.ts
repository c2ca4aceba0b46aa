/** Plans: reconcile over archive and snapshots, written row by row into a file of its own beside the snapshot. */
import { defineTasks, type Problem, type RelPath, SpacedriveError, toError } from '../../storage/base/index.js'
import { createHasher } from '../../storage/content/index.js'
import { removeFile } from '../../storage/files/index.js'
import { openSqlite, type Sql, withReader } from '../../storage/sql/index.js'
import {
  ENDS,
  type End,
  hashOperation,
  type ReconcileOptions,
  reconcile,
  Tally,
  type Totals
} from '../reconcile/index.js'
import { type ToldVectors, withTold } from './asked.worker.js'
import { Ignored, type IgnoreRules } from './ignored.js'
import { keysToPlan, optionsBasis } from './partial.js'
import { pathKey } from './path-key.js'
import {
  type OperationPage,
  operationsToShow,
  PLAN_CACHE_KIB,
  type PlannedOperation,
  planWriter,
  type Remark,
  readOperations,
  readRemarks,
  withPlan
} from './plan-file.js'
import { holdsMany, SyncRows } from './rows.js'
import { noteAchieved, type TraceColumns } from './traces.js'
import { unreadFinder } from './unread.js'
import { deviceOfReplica } from './vector-rows.js'

export type { Remark } from './plan-file.js'

export interface PlanInput {
  readonly instanceFile: string
  readonly snapshotFile: string
  /** Made anew. */
  readonly planFile: string
  readonly sync: number
  readonly proves: Readonly<Record<End, boolean>>
  readonly ignore: readonly IgnoreRules[]
  /** Files that nobody has read yet are read when they are copied: see `unread-content.ts`. */
  readonly unread?: boolean | undefined
  readonly options: Omit<ReconcileOptions, 'ignores' | 'sourceEmpty' | 'replicas'>
  /** What both ends said of versions; left out: none are kept. */
  readonly vectorsFile?: string | undefined
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

export interface Remarks {
  readonly remarks: readonly Remark[]
  readonly unread: readonly (Problem & { readonly at: End })[]
}

/** A plan for a person to look at: see `operationsToShow`. */
export interface ShownPlan extends Remarks {
  readonly operations: readonly PlannedOperation[]
}

export const planning = defineTasks(import.meta.url, {
  /** @returns undefined when the rows of renamed directories must come under their names first */
  async makePlan(input: PlanInput): Promise<PlanSummary | undefined> {
    for (const left of ['', '-wal', '-shm']) await removeFile(`${input.planFile}${left}`)
    const plan = openSqlite(input.planFile, { scratch: true, cacheKiB: PLAN_CACHE_KIB })
    try {
      return withReader(input.instanceFile, archive =>
        withReader(input.snapshotFile, snapshot =>
          withTold(input.vectorsFile, told => plan.transaction(() => write(plan, { archive, snapshot, told }, input)))
        )
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

  /** Operations from a number on: see `readPlanned`. */
  operations({ planFile, from, limit }: { planFile: string; from: number; limit: number }): OperationPage {
    return withPlan(planFile, sql => readOperations(sql, from, limit))
  },

  /** What a person sees of a plan: see `operationsToShow`. */
  shown({ limit, ...files }: { planFile: string; snapshotFile: string; limit: number }): ShownPlan {
    return { operations: withPlan(files.planFile, sql => operationsToShow(sql, limit)), ...remarksOf(files, limit) }
  },

  /** `unread`: problems that the looks before it met. */
  remarks({ planFile, snapshotFile, limit }: { planFile: string; snapshotFile: string; limit: number }): Remarks {
    return remarksOf({ planFile, snapshotFile }, limit)
  },

  /** All files that an end holds. */
  countFiles({ snapshotFile, end }: { snapshotFile: string; end: End }): number {
    return withReader(snapshotFile, snapshot => countFiles(snapshot, end, -1))
  },

  /** What was read back after operations that were done. */
  achieved({ planFile, traces }: { planFile: string; traces: TraceColumns }): void {
    withPlan(planFile, sql => noteAchieved(sql, traces))
  }
})

interface PlannedFrom {
  readonly archive: Sql
  readonly snapshot: Sql
  readonly told: ToldVectors | undefined
}

function write(plan: Sql, { archive, snapshot, told }: PlannedFrom, input: PlanInput): PlanSummary | undefined {
  const { sync, proves, ignore, unread } = input
  const basis = optionsBasis(input)
  const only = keysToPlan({ archive, snapshot, input, basis })
  if (only === 'settle') return undefined
  const rows = new SyncRows({
    ...{ archive, snapshot, sync, proves, only, told, unread, ignored: () => new Ignored(ignore) },
    keeps: input.options.archive || !holdsMany(snapshot)
  })
  const ignored = new Ignored(ignore)
  const facts = (end: End): EndFacts => factsOf(archive, snapshot, sync, end)
  const holds = { source: facts('source'), destination: facts('destination') }
  const options: ReconcileOptions = {
    ...input.options,
    sourceEmpty: holds.source.rootEntries === 0,
    replicas: { get: deviceOfReplica },
    ...(ignored.none ? {} : { ignores: path => ignored.ignores(path) })
  }
  const writer = planWriter(plan)
  const tally = new Tally({ holds: (end, path) => isSeen(snapshot, end, path) })
  const lines = new LineHasher()
  let operations = 0
  for (const row of reconcile(rows, options)) {
    tally.add(row)
    writer.put(row)
    if (row.row !== 'operation') continue
    operations++
    hashOperation(lines, row.operation)
  }
  writer.end()
  const { odd } = rows
  return { totals: tally.totals, hash: lines.digest(), operations, holds, whole: only === undefined, basis, odd }
}

function remarksOf({ planFile, snapshotFile }: { planFile: string; snapshotFile: string }, limit: number): Remarks {
  const remarks = withPlan(planFile, sql => readRemarks(sql, limit))
  const unread = withReader(snapshotFile, snapshot => {
    const find = unreadFinder(snapshot)
    return remarks.map(r => (r.row === 'unsettled' ? find(r) : undefined)).filter(p => p !== undefined)
  })
  return { remarks, unread }
}

/** Hashes many short lines together: one by one each costs more on its way to the hasher than to hash. */
class LineHasher {
  readonly #hasher = createHasher()
  #text = ''

  update(text: string): void {
    this.#text += text
    if (this.#text.length >= HASHED_AT_ONCE) this.#flush()
  }

  digest(): string {
    this.#flush()
    return this.#hasher.digest()
  }

  #flush(): void {
    this.#hasher.update(Buffer.from(this.#text))
    this.#text = ''
  }
}

const HASHED_AT_ONCE = 64 * 1024

function isSeen(snapshot: Sql, end: End, path: RelPath): boolean {
  const found = snapshot.prepare('SELECT 1 FROM seen WHERE at = ? AND path = ?').get([ENDS.indexOf(end), pathKey(path)])
  return found !== undefined
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
