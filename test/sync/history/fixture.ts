/** A sync of two real folders with its service and its history, without a daemon. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import {
  type AbsPath,
  type Clock,
  type EventBus,
  eventBus,
  type JobId,
  SpacedriveError,
  silentLog,
  systemClock,
  systemRandom,
  type WorkerPool
} from '../../../storage/base/index.js'
import { type Disk, type Files, openFiles, ownerTag } from '../../../storage/files/index.js'
import { type InstanceDatabase, openInstance } from '../../../storage/instance/index.js'
import { type JobHandle, type JobInfo, jobManager } from '../../../storage/jobs/index.js'
import { type Watcher, watcher } from '../../../storage/watcher/index.js'
import { openLocalEndpoint } from '../../../sync/endpoints/index.js'
import {
  type RestoreAsked,
  type Restored,
  type RestoreFromAsked,
  type SyncHistory,
  syncHistory,
  type UndoAsked,
  type Undone
} from '../../../sync/history/index.js'
import type { ConflictPolicy, Mode } from '../../../sync/reconcile/index.js'
import { type RunReport, type Sync, type Syncs, syncs } from '../../../sync/session/index.js'
import { inPlace } from '../../in-place.js'
import { sharedPool } from '../../shared-pool.js'
import { tempDir } from '../../temp.js'

export interface HistoryFixture {
  readonly dir: string
  readonly source: string
  readonly destination: string
  readonly db: InstanceDatabase
  readonly events: EventBus
  readonly syncs: Syncs
  readonly history: SyncHistory
  readonly files: Files
  readonly pool: WorkerPool
  sync(): Sync
  /** This moment; whatever comes after it is later. */
  now(): number
  /** Time passes. */
  later(ms: number): void
  /** What a job came to. */
  outcome(job: JobId): Promise<JobInfo>
  /** What a crash cut off goes on by itself: until all of it has ended. */
  rest(): Promise<void>
  /** Does what a guard would stop, too. */
  run(): Promise<RunReport>
  /** What these come to, done as jobs. @throws what the job failed with */
  restore(asked: RestoreAsked): Promise<Restored>
  restoreFrom(asked: RestoreFromAsked): Promise<Restored>
  undo(asked: UndoAsked): Promise<Undone>
  close(): Promise<void>
}

export interface HistoryOptions {
  readonly mode: Mode
  readonly policy?: ConflictPolicy
  readonly ignore?: readonly string[]
  /** Of the history alone: what is to be done by itself, and when. */
  readonly timer?: Clock['timer']
  /** Instead of the real disk; everything runs in this thread then. */
  readonly disk?: Disk
  /** It runs by itself, by this clock and this watcher; else by command alone. */
  readonly background?: { readonly clock: Clock; watcher(real: Watcher): Watcher }
  /** A folder in which all of it lies and stays, made by another process perhaps; else a fresh one. */
  readonly at?: AbsPath
  /** Called with each write to the instance database: before it begins, and when it is committed. */
  onWrite?(task: unknown, when: 'begins' | 'is committed'): void
}

function observed(db: InstanceDatabase, onWrite: HistoryOptions['onWrite']): InstanceDatabase {
  if (onWrite === undefined) return db
  return {
    ...db,
    async write(task, input, options) {
      onWrite(task, 'begins')
      const done = await db.write(task, input, options)
      onWrite(task, 'is committed')
      return done
    }
  }
}

async function ended<O>(begun: Promise<JobHandle<O>>): Promise<O> {
  const { output, error } = await (await begun).outcome()
  if (error !== undefined)
    throw new SpacedriveError(error.code, error.message, error.hint === undefined ? {} : { hint: error.hint })
  return output as O
}

export async function openHistory({
  mode,
  policy = 'keep-both',
  ignore = [],
  timer,
  disk,
  background,
  at: dir,
  onWrite
}: HistoryOptions): Promise<HistoryFixture> {
  let passedMs = 0
  let closed = false
  const clock: Clock = { ...systemClock, nowMs: () => systemClock.nowMs() + passedMs }
  const temp = dir === undefined ? tempDir('sd-history-') : { path: dir, clean: () => {} }
  const at = (name: string): string => join(temp.path, name)
  const dataDir = at('data') as AbsPath
  for (const name of ['data', 'source', 'destination']) if (!existsSync(at(name))) mkdirSync(at(name))
  const db = observed(await openInstance(dataDir), onWrite)
  const pool = disk === undefined ? sharedPool() : inPlace
  const files = openFiles({ pool, owner: ownerTag(dataDir), clock, ...(disk && { disk }) })
  const events = eventBus(() => clock.nowMs(), silentLog)
  const jobs = jobManager({ db, clock, random: systemRandom, events, log: silentLog })
  const open = async (path: AbsPath, { create = false, ...options } = {}) => {
    if (create) await (await files.openRoot(path, { create })).close()
    return openLocalEndpoint(
      {
        ...{ path, pool, files, disk, volumes: { volumeOf: async () => undefined } },
        trash: { put: () => Promise.reject(new Error('a sync throws nothing into the trash')) },
        ours: () => [dataDir]
      },
      options
    )
  }
  const init = { db, dataDir, pool, clock, random: systemRandom, events, jobs, log: silentLog, open }
  const watching = watcher({ pool, clock, log: silentLog })
  const service = syncs({
    ...init,
    ...(background && { clock: background.clock }),
    watcher: background?.watcher(watching) ?? watching,
    ...{ deviceName: () => 'ada', placementOf: async () => undefined, pathOf: async () => undefined }
  })
  const history = syncHistory({ ...init, ...(timer && { clock: { ...clock, timer } }), syncs: service })
  await service.start()
  await jobs.start()
  if (background !== undefined) await service.background.start()
  if (service.list().length === 0) {
    const ends = { source: at('source') as AbsPath, destination: at('destination') as AbsPath }
    await service.add({
      name: 'test',
      ...ends,
      mode,
      policy,
      ignore,
      maxDeletePercent: 100,
      manual: background === undefined
    })
  }
  const sync = (): Sync => service.find('test')
  const once = async (force: boolean): Promise<RunReport> => {
    const job = await service.begin(sync(), { force })
    const outcome = await jobs.outcome(job)
    assert.equal(outcome.state, 'completed', JSON.stringify(outcome))
    return jobs.info(job).output as unknown as RunReport
  }
  return {
    ...{
      dir: temp.path,
      source: at('source'),
      destination: at('destination'),
      db,
      events,
      syncs: service,
      history,
      files,
      pool
    },
    sync,
    now() {
      const now = clock.nowMs()
      passedMs += 10
      return now
    },
    later(ms) {
      passedMs += ms
    },
    async outcome(job) {
      await jobs.outcome(job)
      return jobs.info(job)
    },
    async rest() {
      for (const { id } of jobs.list({ states: ['queued', 'running'] })) await jobs.outcome(id)
    },
    async run() {
      const report = await once(false)
      return report.state === 'halted' ? once(true) : report
    },
    restore: asked => ended(history.restore(sync(), asked)),
    restoreFrom: asked => ended(history.restoreFrom(asked)),
    undo: asked => ended(history.undo(sync(), asked)),
    async close() {
      if (closed) return
      closed = true
      await service.background.stop()
      await service.stop()
      await jobs.stop()
      await files.close()
      await pool.close()
      await db.close()
      temp.clean()
    }
  }
}
