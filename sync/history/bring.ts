/**
 * Brings a folder to what it was: reconcile plans the way from what is there to what was there, as a mirror of the past, and a
 * transition goes it, with the same care as any session: staged, looked at again, what is replaced kept in the version store.
 */
import type { AbortOptions, ContentHash, RelPath, WorkerPool } from '../../storage/base/index.js'
import type { Capabilities } from '../../storage/files/index.js'
import type { AnnouncedRun, Endpoint, EndpointKept, EndpointStage, KeptContents } from '../endpoints/index.js'
import { MAX_LOOKS } from '../endpoints/index.js'
import { type EndCapabilities, type Operation, PLAIN_END } from '../reconcile/index.js'
import {
  type IgnoreRules,
  type Placing,
  type PlanSummary,
  planning,
  readPlanned,
  Transition,
  type Transitioned,
  type TransitionInit
} from '../session/index.js'
import { stagingOwn } from './stage-own.js'
import { thenEndpoint } from './then-endpoint.js'
import type { Work } from './work.js'
import { WORK_SYNC, working } from './work.worker.js'

export interface BringInit extends AbortOptions {
  readonly work: Work
  readonly pool: WorkerPool
  /** The folder that is changed. */
  readonly target: BringTarget
  /** Today's tree, whose history is undone. */
  readonly now: Endpoint
  readonly stores: readonly KeptContents[]
  /** Both are one folder: what was moved is found again by its inode. */
  readonly same: boolean
  /** What came later stays. */
  readonly keepNew: boolean
  readonly ignore: readonly IgnoreRules[]
}

export interface BringTarget {
  readonly endpoint: Endpoint
  readonly can: EndCapabilities
  readonly capabilities: Pick<Capabilities, 'keepsIdentity'>
  /** @param taken - what is about to be taken away there @throws {SpacedriveError} GUARD, of a device that has guards of its own */
  stage(taken: AnnouncedRun): Promise<EndpointStage>
  readonly place: Placing
  /** Of a folder on another device, which hears that this one gets on. */
  readonly gotOn?: (() => void) | undefined
  /** Of a folder on another device: what it keeps is staged there. */
  readonly kept?: EndpointKept | undefined
}

export interface BringPlan {
  readonly summary: PlanSummary
  /** Paths whose content is kept nowhere: they stay as they are. The first of them, and how many. */
  readonly missing: { readonly paths: readonly RelPath[]; readonly count: number }
}

const NEEDED_PAGE = MAX_LOOKS
const MAX_MISSING = 1_000

/** What has to be done, once `seen` of the work database says what is and what shall be. */
export async function planBring(init: BringInit): Promise<BringPlan> {
  const { work, pool, target, same, keepNew, ignore, signal } = init
  await work.db.write(working.agree, { same, proves: target.capabilities.keepsIdentity })
  const missing = await findContents(init)
  // Never undefined: nothing was hinted at in this snapshot.
  const summary = (await pool.run(
    planning.makePlan,
    {
      ...{
        instanceFile: work.archiveFile,
        snapshotFile: work.db.file,
        planFile: work.planFile,
        sync: WORK_SYNC,
        ignore
      },
      proves: { source: same, destination: target.capabilities.keepsIdentity },
      options: {
        ...{ mode: keepNew ? 'replica' : 'mirror', policy: 'source', archive: true },
        devices: { source: '', destination: '' },
        ...{ source: { ...PLAIN_END, timeStepNs: target.can.timeStepNs }, destination: target.can }
      }
    },
    { signal }
  ))!
  return { summary, missing }
}

/** Where each content that is not in today's tree is kept. */
async function findContents({ work, stores, signal }: BringInit): Promise<BringPlan['missing']> {
  const { db } = work
  for (let after: ContentHash | undefined; ; ) {
    const hashes = await db.maintain(working.needed, { after, limit: NEEDED_PAGE })
    if (hashes.length === 0) break
    after = hashes.at(-1)
    const paths = hashes.map(hash => `${hash.slice(0, 2)}/${hash}` as RelPath)
    for (const [store, contents] of stores.entries()) {
      const looks = await contents.look(paths, { signal })
      const there = hashes.filter((_, i) => looks[i]?.entry?.stat.kind === 'file')
      await db.write(working.keptIn, { store, hashes: there })
    }
  }
  return db.write(working.leaveMissing, { limit: MAX_MISSING })
}

/** The first operations of the plan. */
export const plannedOperations = (
  { work, pool, signal }: BringInit,
  limit: number,
  from = 0
): Promise<readonly Operation[]> => readPlanned(pool, { planFile: work.planFile, from, limit }, { signal })

export interface Bringing extends Pick<TransitionInit, 'run' | 'beforeBatch' | 'afterBatch' | 'onProgress'> {
  readonly summary: PlanSummary
}

/** Does what was planned. */
export async function bring(
  { work, pool, target, now, stores, signal }: BringInit,
  { run, summary, ...rest }: Bringing
): Promise<Transitioned> {
  const { endpoint, place, gotOn, capabilities, kept } = target
  const { removed, repacked, replaced, directoriesRemoved } = summary.totals.destination
  const stage = await target.stage({ run, removed, repacked, replaced, directoriesRemoved })
  const stageOwn = kept && stagingOwn({ work: work.db, kept, stage, store: stores.indexOf(kept.contents) })
  const past = thenEndpoint({ work: work.db, now, stores })
  const transition = new Transition({
    ends: {
      source: { endpoint: past, stage: undefined, place: undefined, capabilities: { keepsIdentity: false } },
      destination: { endpoint, stage, place, gotOn, capabilities, stageOwn }
    },
    ...{ snapshot: work.db, planFile: work.planFile, pool, run, signal, resumes: endpoint.kind === 'remote' },
    ...rest
  })
  return transition.run()
}
