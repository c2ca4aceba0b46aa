import { join } from 'node:path'
import type { AbortOptions, AbsPath, Clock, Random, RelPath, WorkerPool } from '../../storage/base/index.js'
import { ensurePrivateDir, removeFile } from '../../storage/files/index.js'
import { type Database, openDatabase } from '../../storage/sql/index.js'
import { type Keep, openEnd, type Sync, type Syncs } from '../session/index.js'
import { type Kept, momentsOf, usageOf, type Verified, verifyStores, versionsOf } from './browse.js'
import { answerConflicts, conflictsOf, type WaitingConflict } from './conflicts.js'
import { pathWithin, type RestoreAsked, type Restored, type RestoreFromAsked, restore, restoreFrom } from './restore.js'
import type { OpenFolder } from './store-at.js'

export interface SyncHistoryInit {
  /** The instance database. */
  readonly db: Database
  readonly dataDir: AbsPath
  readonly pool: WorkerPool
  readonly clock: Clock
  readonly random: Random
  readonly syncs: Pick<Syncs, 'lend' | 'pause' | 'list' | 'find'>
  readonly open: OpenFolder
}

/** What the parts of the history share. */
export interface HistoryInit extends SyncHistoryInit {
  readonly openEnd: typeof openEnd
  /** A snapshot that belongs to no sync, gone afterwards. */
  withSnapshot<T>(dir: AbsPath, use: (snapshot: Database) => Promise<T>): Promise<T>
}

/** What syncs did, and the way back. */
export interface SyncHistory {
  /** A path as it lies in a sync: absolute ones within one of its ends, too. @throws {SpacedriveError} USAGE */
  pathIn(sync: Sync, path: string): RelPath
  /** @throws {SpacedriveError} BEFORE_HISTORY, NO_VERSION, PATH_BLOCKED, NOT_EMPTY, EXISTS, ROOT_AWAY */
  restore(sync: Sync, asked: RestoreAsked, options?: AbortOptions): Promise<Restored>
  /** Out of a folder with versions in it, of which nothing is known. @throws {SpacedriveError} NO_VERSIONS, and as `restore` */
  restoreFrom(asked: RestoreFromAsked, options?: AbortOptions): Promise<Restored>
  /** Newest first: the moments of the whole folder that can be gone back to. */
  moments(sync: Sync, limit: number, options?: AbortOptions): ReturnType<typeof momentsOf>
  /** Newest first: what a path was. */
  versions(sync: Sync, path: RelPath, limit: number, options?: AbortOptions): ReturnType<typeof versionsOf>
  /** What the versions take. */
  usage(sync: Sync, options?: AbortOptions): Promise<readonly Kept[]>
  /** What waits for a person. */
  conflicts(sync: Sync, options?: AbortOptions): Promise<readonly WaitingConflict[]>
  /** Says what is to be kept at a path and below it; the next run does it. @throws {SpacedriveError} NOT_IN_CONFLICT */
  answer(sync: Sync, path: RelPath, keep: Keep): Promise<readonly RelPath[]>
  /** Reads all that is kept and compares it with its hash. */
  verify(sync: Sync, options?: AbortOptions): Promise<Verified>
}

export function syncHistory(init: SyncHistoryInit): SyncHistory {
  const shared: HistoryInit = {
    ...init,
    openEnd,
    async withSnapshot(dir, use) {
      const file = join(dir, 'from.db')
      const clean = async (): Promise<void> => {
        for (const end of ['', '-wal', '-shm']) await removeFile(`${file}${end}`)
      }
      await clean()
      const snapshot = await openDatabase({ file, schema: 'snapshot', synchronous: 'NORMAL' })
      try {
        return await use(snapshot)
      } finally {
        await snapshot.close()
        await clean()
      }
    }
  }
  let fromFolder: Promise<unknown> = Promise.resolve()
  return {
    pathIn: pathWithin,
    restore: (sync, asked, options) => restore(shared, sync, asked, options),
    moments: (sync, limit, options = {}) => momentsOf(shared, sync, limit, options),
    versions: (sync, path, limit, options = {}) => versionsOf(shared, sync, path, limit, options),
    usage: (sync, options = {}) => usageOf(shared, sync, options),
    conflicts: (sync, options = {}) => conflictsOf(shared, sync, options),
    answer: (sync, path, keep) => answerConflicts(shared, sync, path, keep),
    verify: (sync, options = {}) => verifyStores(shared, sync, options),
    restoreFrom(asked, options) {
      const turn = fromFolder.then(async () => {
        const dir = join(init.dataDir, 'syncs', 'restore') as AbsPath
        await ensurePrivateDir(dir)
        return restoreFrom(shared, asked, dir, options)
      })
      fromFolder = turn.catch(() => {})
      return turn
    }
  }
}
