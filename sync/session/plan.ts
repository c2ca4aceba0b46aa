import type { AbortOptions, WorkerPool } from '../../storage/base/index.js'
import type { Database } from '../../storage/sql/index.js'
import type { Operation } from '../reconcile/index.js'
import { comparing } from './odd.worker.js'
import { basisWith } from './partial.js'
import { type PlanInput, type PlanSummary, planning } from './plan.worker.js'
import { operationsIn } from './plan-file.js'
import { snapshotting } from './snapshot.worker.js'

/** Plans, of what changed since everything was compared last where that is known, else of all there is. */
export async function makePlan(
  pool: WorkerPool,
  snapshot: Database,
  input: Omit<PlanInput, 'snapshotFile'>,
  { signal }: AbortOptions = {}
): Promise<PlanSummary> {
  const make = () => pool.run(planning.makePlan, { ...input, snapshotFile: snapshot.file }, { signal })
  const plan = await make()
  if (plan !== undefined) return plan
  await snapshot.write(snapshotting.settleRenames, undefined)
  return (await make())!
}

/** Operations of a plan from a number on, in their order. */
export async function readPlanned(
  pool: WorkerPool,
  { planFile, from, limit }: { readonly planFile: string; readonly from: number; readonly limit: number },
  { signal }: AbortOptions = {}
): Promise<Operation[]> {
  return operationsIn(await pool.run(planning.operations, { planFile, from, limit }, { signal }), from, limit)
}

export interface ComparedInit extends AbortOptions {
  readonly pool: WorkerPool
  readonly snapshot: Database
  /** The instance database. */
  readonly db: Database
  readonly sync: number
  readonly plan: Pick<PlanSummary, 'basis' | 'odd'>
  /** What the plan was made with. */
  readonly rules: Pick<PlanInput, 'proves' | 'ignore'>
}

/** A run came to its end and its archive is written: the next plan needs only what changes from here on, and what is not alike still. */
export async function noteCompared({ pool, snapshot, db, sync, plan, rules, signal }: ComparedInit): Promise<void> {
  await snapshot.write(snapshotting.settleRenames, undefined)
  const batch = db.get<{ batch: number }>('SELECT batch FROM syncs WHERE id = ?', [sync])?.batch
  if (plan.odd === undefined || batch === undefined) return
  const input = { ...rules, instanceFile: db.file, snapshotFile: snapshot.file, sync, paths: plan.odd }
  const odd = plan.odd.length === 0 ? [] : await pool.run(comparing.stillOdd, input, { signal })
  await snapshot.write(snapshotting.compared, { basis: basisWith(batch, plan.basis), odd })
}
