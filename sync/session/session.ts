import { join } from 'node:path'
import {
  type AbortOptions,
  type AbsPath,
  type Clock,
  newUuid,
  parentOf,
  type Random,
  type RelPath,
  SpacedriveError,
  type WorkerPool
} from '../../storage/base/index.js'
import type { FileRoot, Staging } from '../../storage/files/index.js'
import type { Database } from '../../storage/sql/index.js'
import type { Endpoint } from '../endpoints/index.js'
import {
  type ArchiveChange,
  type ConflictPolicy,
  ENDS,
  type End,
  type EndCapabilities,
  GUARD_LIMITS,
  type GuardLimits,
  type Halt,
  type HaltedBefore,
  judge,
  type Mode,
  mayForce,
  PLAIN_END
} from '../reconcile/index.js'
import { VersionStore } from '../versions/index.js'
import { archiving } from './archive.worker.js'
import { ChangeLog } from './changes.js'
import { changing } from './changes.worker.js'
import { IGNORE_FILE, type IgnoreRules, MAX_IGNORE_FILE_BYTES } from './ignored.js'
import { type PlanSummary, planning, type Remark } from './plan.worker.js'
import { type ScanProgress, scanEnd } from './scan.js'
import { snapshotting } from './snapshot.worker.js'
import { Transition, type TransitionEnd, type Transitioned } from './transition.js'

/** What a session needs to know of its sync. */
export interface SyncFacts {
  /** `syncs.id` and `syncs.uuid`. */
  readonly id: number
  readonly uuid: string
  readonly mode: Mode
  readonly policy: ConflictPolicy
  /** Patterns of `--ignore`. */
  readonly ignore: readonly string[]
  readonly limits?: GuardLimits | undefined
  /** Names of the devices at the ends, for conflict copies. */
  readonly devices: Readonly<Record<End, string>>
}

export interface SessionComponents {
  /** The instance database. */
  readonly db: Database
  /** Of schema `snapshot`, this sync's own. */
  readonly snapshot: Database
  /** Where the plan is written: a folder of this sync in the data directory. */
  readonly dir: AbsPath
  readonly pool: WorkerPool
  readonly clock: Clock
  readonly random: Random
}

export interface SessionInit extends SessionComponents, AbortOptions {
  readonly sync: SyncFacts
  readonly ends: Readonly<Record<End, Endpoint>>
  /** A person's yes to the plan of a run that halted. */
  readonly force?: HaltedBefore | undefined
  /** Does exactly the plan with this hash, or nothing. */
  readonly planHash?: string | undefined
  /** Plans and stops there. */
  readonly planOnly?: boolean | undefined
  onPhase?(phase: SessionPhase): void
  onScan?(end: End, progress: ScanProgress): void
  onProgress?(progress: { readonly operations: number; readonly bytes: number; readonly of: number }): void
}

export type SessionPhase = 'Analyzing differences' | 'Planning changes' | 'Applying changes'

export type SessionOutcome =
  | { readonly state: 'planned'; readonly plan: PlanSummary; readonly halts: readonly Halt[] }
  | { readonly state: 'halted'; readonly plan: PlanSummary; readonly halts: readonly Halt[] }
  | { readonly state: 'other-plan'; readonly plan: PlanSummary }
  | {
      readonly state: 'done'
      readonly run: string
      readonly plan: PlanSummary
      readonly result: Transitioned
      readonly remarks: readonly Remark[]
    }

/** Conflicts and problems read back from a plan to be shown. */
const MAX_REMARKS = 1_000

/**
 * One session of a sync between two folders of this device (SYNC.md 7): scans both ends, plans, asks the guards, does it, and
 * writes down what was achieved. It is not resumed but run again: what a crash left staged or half placed is taken up first.
 * @throws what concerns an end as a whole; `signal.reason`
 */
export async function runSession(init: SessionInit): Promise<SessionOutcome> {
  const { sync, db, snapshot, pool, clock, random, signal } = init
  const writable: readonly End[] = sync.mode === 'bidirectional' ? ENDS : ['destination']
  const opened: Partial<Record<End, OpenedEnd>> = {}
  try {
    for (const end of writable) opened[end] = await openEnd(init.ends[end], sync.uuid, clock, signal)
    init.onPhase?.('Analyzing differences')
    await Promise.all(
      ENDS.map(at =>
        scanEnd({
          ...{ at, endpoint: init.ends[at], snapshot, ...(signal && { signal }) },
          onProgress: progress => init.onScan?.(at, progress)
        })
      )
    )
    const ignore = await ignoreRules(init)
    init.onPhase?.('Planning changes')
    const planFile = join(init.dir, 'plan.db')
    const agreed = db.get<{ archive: number }>('SELECT archive FROM syncs WHERE id = ?', [sync.id])?.archive === 1
    const able = (end: End): EndCapabilities => capabilitiesOf(opened[end]?.root)
    const plan = await pool.run(
      planning.makePlan,
      {
        ...{ instanceFile: db.file, snapshotFile: snapshot.file, planFile, sync: sync.id, ignore },
        proves: { source: provesOf(opened.source), destination: provesOf(opened.destination) },
        options: {
          ...{ mode: sync.mode, policy: sync.policy, archive: agreed, devices: sync.devices },
          ...{ source: able('source'), destination: able('destination') }
        }
      },
      { signal }
    )
    const halts = guards(init, plan, agreed)
    if (init.planOnly === true) return { state: 'planned', plan, halts }
    if (init.planHash !== undefined && init.planHash !== plan.hash) return { state: 'other-plan', plan }
    if (halts.length > 0 && !mayForce(plan.totals, init.force)) return { state: 'halted', plan, halts }
    init.onPhase?.('Applying changes')
    const run = newUuid(clock.nowMs(), random)
    const result = await apply(init, opened, planFile, plan, run)
    const remarks = await pool.run(planning.remarks, { planFile, limit: MAX_REMARKS }, { signal })
    return { state: 'done', run, plan, result, remarks }
  } finally {
    for (const end of writable) await opened[end]?.close()
  }
}

interface OpenedEnd {
  readonly root: FileRoot
  readonly staging: Staging
  readonly store: VersionStore
  close(): Promise<void>
}

/** Completes or takes back what a crash left, old contents first: nothing of it may be lost to the cleaning. */
async function openEnd(
  endpoint: Endpoint,
  id: string,
  clock: Clock,
  signal: AbortSignal | undefined
): Promise<OpenedEnd> {
  if (endpoint.local === undefined)
    throw new SpacedriveError('NOT_LOCAL', `${endpoint.shown} is no folder of this device`)
  const options = { ...(signal && { signal }) }
  const root = await endpoint.local.fileRoot(options)
  const { problems } = await root.recover(options)
  const [problem] = problems
  if (problem !== undefined)
    throw new SpacedriveError('UNSETTLED', problem.message, { details: { path: problem.path } })
  const store = new VersionStore(root, clock)
  const left = await root.openStaging(id, { where: 'area', ...options })
  await store.recover(left, options)
  await left.discard(options)
  const staging = await root.openStaging(id, { where: 'area', ...options })
  return { root, staging, store, close: () => staging.discard() }
}

async function apply(
  { sync, ends, db, snapshot, pool, clock, signal, onProgress }: SessionInit,
  opened: Partial<Record<End, OpenedEnd>>,
  planFile: string,
  plan: PlanSummary,
  run: string
): Promise<Transitioned> {
  const batch = (db.get<{ batch: number }>('SELECT batch FROM syncs WHERE id = ?', [sync.id])?.batch ?? 0) + 1
  if (plan.operations > 0) {
    await db.write(archiving.begin, { sync: sync.id, batch })
    await db.write(changing.begin, { run, sync: sync.id, kind: 'run', beganAtMs: clock.nowMs() })
  }
  const changes = new ChangeLog(db, { run, sync: sync.id }, () => clock.nowMs())
  const endOf = (end: End): TransitionEnd => {
    const at = opened[end]
    return {
      endpoint: ends[end],
      stage: at?.staging,
      versions: at && { record: (l, o) => at.store.record(l, o), keep: o => at.store.keep(at.staging, o) },
      capabilities: { keepsIdentity: at?.root.capabilities.keepsIdentity ?? true }
    }
  }
  const transition = new Transition({
    ends: { source: endOf('source'), destination: endOf('destination') },
    ...{ snapshot, planFile, pool, run, signal },
    afterBatch: done => changes.add(done),
    onProgress: p => onProgress?.({ ...p, of: plan.totals.operations })
  })
  const result = await transition.run().finally(() => changes.end())
  const pages: Promise<unknown>[] = []
  const commit = (
    changes: readonly ArchiveChange[],
    unsettled: readonly { path: RelPath; why: string }[] = []
  ): Promise<unknown> => db.write(archiving.commit, { sync: sync.id, changes, settled: [], unsettled, batch })
  const { unsettled } = await pool.run(
    planning.fold,
    { planFile },
    { signal, onEmit: changes => void pages.push(commit(changes as ArchiveChange[])) }
  )
  await Promise.all(pages)
  await db.write(archiving.settleAll, { sync: sync.id })
  const failed = result.unsettled.map(path => ({ path, why: 'problem' }))
  await commit([], [...unsettled, ...failed])
  return result
}

function guards({ sync }: SessionInit, { totals, holds }: PlanSummary, archive: boolean): Halt[] {
  const facts = (end: End) => ({ ...holds[end], removedBefore: 0, replacedBefore: 0 })
  return judge({
    ...{ mode: sync.mode, archive, totals, limits: sync.limits ?? GUARD_LIMITS },
    holds: { source: facts('source'), destination: facts('destination') }
  })
}

/** Rules of both ends and of the sync: what one end ignores is unknown at both. */
async function ignoreRules({ sync, ends, snapshot, signal }: SessionInit): Promise<IgnoreRules[]> {
  const rules: IgnoreRules[] = sync.ignore.length === 0 ? [] : [{ folder: '' as RelPath, text: sync.ignore.join('\n') }]
  for (const at of ENDS) {
    const name = IGNORE_FILE
    let paths = await snapshot.maintain(snapshotting.ignoreFiles, { at, name, maxBytes: MAX_IGNORE_FILE_BYTES })
    while (paths.length > 0) {
      const some = paths.slice(0, 500)
      const pack = await ends[at].readPack(some, { signal })
      for (const file of pack.files) {
        if (file.problem !== undefined)
          throw new SpacedriveError('IGNORE_UNREADABLE', `could not read ${file.path}: ${file.problem.message}`, {
            hint: 'Without it nobody knows what is to be left alone. Make it readable, or remove it.'
          })
        const text = Buffer.from(pack.data.subarray(file.offset, file.offset + file.length)).toString('utf8')
        rules.push({ folder: parentOf(file.path), text })
      }
      paths = [...paths.slice(pack.files.length)]
    }
  }
  return rules
}

const provesOf = (at: OpenedEnd | undefined): boolean => at?.root.capabilities.keepsIdentity ?? true

/** An end that is never written is taken as it is: it holds what it holds. */
function capabilitiesOf(root: FileRoot | undefined): EndCapabilities {
  if (root === undefined) return PLAIN_END
  const { foldsCase, foldsUnicode, timeStepNs, symlinks, modes, anyBytes, fileSystem } = root.capabilities
  const fat = FAT.has(fileSystem)
  return {
    ...{ foldsCase, foldsUnicode, timeStepNs, symlinks, modes, anyBytes, maxNameBytes: PLAIN_END.maxNameBytes },
    ...{ refusedCharacters: fat ? '"*:<>?\\|' : '', refusedEnds: fat ? '. ' : '' }
  }
}

const FAT = new Set(['vfat', 'msdos', 'exfat', 'ntfs', 'ntfs3'])
