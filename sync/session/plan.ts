import type { AbortOptions, WorkerPool } from '../../storage/base/index.js'
import type { Database } from '../../storage/sql/index.js'
import { basisWith } from './partial.js'
import { type PlanInput, type PlanSummary, planning } from './plan.worker.js'
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

/** A run came to its end and its archive is written: the next plan needs only what changes from here on. */
export async function noteCompared({
  snapshot,
  db,
  sync,
  plan: { basis, odd }
}: {
  snapshot: Database
  /** The instance database. */
  db: Database
  sync: number
  plan: Pick<PlanSummary, 'basis' | 'odd'>
}): Promise<void> {
  await snapshot.write(snapshotting.settleRenames, undefined)
  const batch = db.get<{ batch: number }>('SELECT batch FROM syncs WHERE id = ?', [sync])?.batch
  if (odd === undefined || batch === undefined) return
  await snapshot.write(snapshotting.compared, { basis: basisWith(batch, basis), odd })
}
