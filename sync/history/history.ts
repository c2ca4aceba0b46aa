import { join } from 'node:path'
import {
  type AbortOptions,
  type AbsPath,
  type Clock,
  type DeviceId,
  displayPath,
  type Logger,
  type Random,
  type RelPath,
  SpacedriveError,
  type Startable,
  type WorkerPool
} from '../../storage/base/index.js'
import { ensurePrivateDir, removeFile } from '../../storage/files/index.js'
import type { JobHandle, JobManager } from '../../storage/jobs/index.js'
import { type Database, openDatabase } from '../../storage/sql/index.js'
import { type Keep, openEnd, type Sync, type Syncs, type Vectors } from '../session/index.js'
import { formatPolicy, parsePolicy } from '../versions/index.js'
import { type Kept, momentsOf, usageOf, type Verified, verifyStores, versionsOf } from './browse.js'
import {
  answerConflicts,
  conflictsOf,
  type SettledConflict,
  settledConflicts,
  type WaitingConflict
} from './conflicts.js'
import type { HistoryOptions } from './course.js'
import type { Restored } from './go-back.js'
import { settleInterrupted } from './interrupted.js'
import { type HistoryJobsInit, type RestoreInput, restoreJob, undoJob } from './job.js'
import type { EndsOfSync } from './kept-at.js'
import { pathWithin } from './path-within.js'
import { type RestoreAsked, type RestoreFromAsked, restore, restoreFrom } from './restore.js'
import { newCourse } from './run.js'
import type { OpenFolder } from './store-at.js'
import type { ServedFolder } from './thin-served.js'
import { type LargeStore, Thinning } from './thinning.js'
import { runsToUndo, type UndoAsked, type Undone, undo } from './undo.js'
import { type Why, whyOf } from './why.js'

export interface SyncHistoryInit {
  /** The instance database. */
  readonly db: Database
  readonly dataDir: AbsPath
  readonly pool: WorkerPool
  readonly clock: Clock
  readonly random: Random
  readonly syncs: Pick<Syncs, 'lend' | 'pause' | 'list' | 'lastRun' | 'status' | 'reach' | 'turn' | 'whenThere'>
  /** A device, for people. */
  nameOf?(device: DeviceId): string
  /** Folders that other devices drive: their versions are thinned by themselves. */
  servedFolders?(): readonly ServedFolder[]
  /** Of the entries of folders, kept beside the syncs: what nobody needs of them goes when old versions go. */
  readonly vectors?: Pick<Vectors, 'tidy'> | undefined
  readonly open: OpenFolder
  readonly log: Logger
  readonly jobs: Pick<JobManager, 'register' | 'dispatch'>
}

/** What the parts of the history share. */
export interface HistoryInit extends SyncHistoryInit {
  readonly openEnd: typeof openEnd
  /** A snapshot that belongs to no sync, gone afterwards. */
  withSnapshot<T>(dir: AbsPath, name: string, use: (snapshot: Database) => Promise<T>): Promise<T>
}

/** What syncs did, and the way back. */
export interface SyncHistory extends Startable {
  /** A version policy as it was said, in its plain form. @throws {SpacedriveError} BAD_POLICY */
  policy(text: string): string
  /** Lets go what the policies do not keep: every hour by itself. */
  thin(sync: Sync, options?: AbortOptions): Promise<unknown>
  /** Likewise in the folders that other devices drive. */
  thinServed(options?: AbortOptions): Promise<void>
  /** Of a sync whose versions take much of their disk. */
  large(sync: Sync): readonly LargeStore[]
  /** A path as it lies in a sync: absolute ones within one of its ends, too. @throws {SpacedriveError} USAGE */
  pathIn(sync: EndsOfSync, path: string): RelPath
  /** As a job, which fails with BEFORE_HISTORY, NO_VERSION, PATH_BLOCKED, NOT_EMPTY, EXISTS, ROOT_AWAY. */
  restore(sync: Sync, asked: RestoreAsked): Promise<JobHandle<Restored>>
  /** Out of a folder with versions in it, of which nothing is known. It fails with NO_VERSIONS, and as `restore`. */
  restoreFrom(asked: RestoreFromAsked): Promise<JobHandle<Restored>>
  /** What it would do, and how it would fail. */
  previewRestore(sync: Sync, asked: RestoreAsked, options?: AbortOptions): Promise<Restored>
  previewRestoreFrom(asked: RestoreFromAsked, options?: AbortOptions): Promise<Restored>
  /** Newest first: the moments of the whole folder that can be gone back to. */
  moments(sync: EndsOfSync, limit: number, options?: AbortOptions): ReturnType<typeof momentsOf>
  /** Newest first: what a path was. */
  versions(sync: EndsOfSync, path: RelPath, limit: number, options?: AbortOptions): ReturnType<typeof versionsOf>
  /** What the versions take. */
  usage(sync: EndsOfSync, options?: AbortOptions): Promise<readonly Kept[]>
  /** Takes back what runs did, as a job, which fails with TOO_MUCH_TO_UNDO, ROOT_AWAY. @throws {SpacedriveError} NOTHING_TO_UNDO, RUN_NOT_FOUND */
  undo(sync: Sync, asked: UndoAsked): Promise<JobHandle<Undone>>
  previewUndo(sync: Sync, asked: UndoAsked, options?: AbortOptions): Promise<Undone>
  /** Why a path is as it is. */
  why(sync: Sync, path: RelPath, options?: AbortOptions): Promise<Why>
  /** What waits for a person. */
  conflicts(sync: Sync, options?: AbortOptions): Promise<readonly WaitingConflict[]>
  /** What was settled lately, and where the other content lies. */
  settled(sync: Sync): readonly SettledConflict[]
  /** Says what is to be kept at a path and below it; the next run does it. @throws {SpacedriveError} NOT_IN_CONFLICT */
  answer(sync: Sync, path: RelPath, keep: Keep): Promise<readonly RelPath[]>
  /** Reads all that is kept and compares it with its hash. */
  verify(sync: EndsOfSync, options?: AbortOptions): Promise<Verified>
}

export function syncHistory(init: SyncHistoryInit): SyncHistory {
  const shared: HistoryInit = {
    ...init,
    openEnd,
    async withSnapshot(dir, name, use) {
      const file = join(dir, `${name}.db`)
      const clean = async (): Promise<void> => {
        for (const end of ['', '-wal', '-shm']) await removeFile(`${file}${end}`)
      }
      await clean()
      const snapshot = await openDatabase({ file, schema: 'snapshot', synchronous: 'NORMAL', sharesThread: true })
      try {
        return await use(snapshot)
      } finally {
        await snapshot.close()
        await clean()
      }
    }
  }
  const thinning = new Thinning(shared, init.log)
  let fromFolder: Promise<unknown> = Promise.resolve()
  const outOfFolder = (asked: RestoreFromAsked, options: HistoryOptions): Promise<Restored> => {
    const turn = fromFolder.then(async () => {
      const dir = join(init.dataDir, 'syncs', 'restore') as AbsPath
      await ensurePrivateDir(dir)
      return restoreFrom(shared, asked, dir, options)
    })
    fromFolder = turn.catch(() => {})
    return turn
  }
  const jobsInit: HistoryJobsInit = {
    course: () => newCourse(init),
    find(uuid) {
      const sync = init.syncs.list().find(one => one.uuid === uuid)
      if (sync !== undefined) return sync
      throw new SpacedriveError('SYNC_NOT_FOUND', 'this sync was removed')
    },
    restore: (sync, asked, attempt) => restore(shared, sync, asked, { attempt }),
    restoreFrom: (asked, attempt) => outOfFolder(asked, { attempt }),
    undo: (sync, attempt) => undo(shared, sync, {}, { attempt })
  }
  const restoring = restoreJob(jobsInit)
  const undoing = undoJob(jobsInit)
  init.jobs.register(restoring)
  init.jobs.register(undoing)
  return {
    async start() {
      await settleInterrupted(shared, init.log)
      await thinning.start()
    },
    stop: () => thinning.stop(),
    thin: (sync, options = {}) => thinning.thin(sync, options),
    thinServed: options => thinning.sweepServed(options),
    large: sync => thinning.largeOf(sync),
    policy(text) {
      const policy = parsePolicy(text)
      if ('kind' in policy) return formatPolicy(policy)
      throw new SpacedriveError('BAD_POLICY', `could not keep versions by ${JSON.stringify(text)}: ${policy.refused}`, {
        hint: 'trashcan:30 keeps everything for 30 days, simple:5 five of each file, staggered fewer the older they are.'
      })
    },
    pathIn: pathWithin,
    restore: ({ uuid: sync, name }, { to, ...asked }) =>
      begun<Restored>(init.jobs.dispatch(restoring, { sync, name, ...asked, to: plainTarget(to) }, HIGH)),
    restoreFrom: ({ folder, ...asked }) =>
      begun<Restored>(init.jobs.dispatch(restoring, { name: displayPath(asked.from), ...asked, to: { folder } }, HIGH)),
    previewRestore: (sync, asked, options = {}) => restore(shared, sync, asked, options),
    previewRestoreFrom: (asked, options = {}) => outOfFolder(asked, options),
    moments: (sync, limit, options = {}) => momentsOf(shared, sync, limit, options),
    versions: (sync, path, limit, options = {}) => versionsOf(shared, sync, path, limit, options),
    usage: (sync, options = {}) => usageOf(shared, sync, options),
    async undo(sync, asked) {
      const runs = runsToUndo(shared, sync, asked).map(({ id }) => id)
      return begun<Undone>(
        init.jobs.dispatch(
          undoing,
          { sync: sync.uuid, name: sync.name, runs, ...(asked.here === true && { here: true }) },
          HIGH
        )
      )
    },
    previewUndo: (sync, asked, options = {}) => undo(shared, sync, asked, options),
    why: (sync, path, options = {}) => whyOf(shared, sync, path, options),
    conflicts: (sync, options = {}) => conflictsOf(shared, sync, options),
    settled: sync => settledConflicts(shared, sync),
    answer: (sync, path, keep) => answerConflicts(shared, sync, path, keep),
    verify: (sync, options = {}) => verifyStores(shared, sync, options)
  }
}

/** A person waits for it. */
const HIGH = { priority: 'high' } as const

const plainTarget = (to: RestoreAsked['to']): RestoreInput['to'] =>
  typeof to === 'string' ? to : { folder: to.folder }

/** Its answer as what it was before it went through JSON. */
const begun = async <O>(handle: Promise<JobHandle<unknown>>): Promise<JobHandle<O>> => (await handle) as JobHandle<O>
