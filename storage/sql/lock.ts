import BetterSqlite from 'better-sqlite3'
import { SpacedriveError } from '../base/index.js'

/**
 * Two that come at the same moment may stand in each other's way, so that neither gets it (each holds the shared lock that
 * keeps the other from the exclusive one): SQLite tries again after 1, 2, 5, 10 and 15 ms. Then somebody holds it.
 */
const TRY_MS = 40

export interface FileLock {
  release(): void
}

/**
 * An exclusive lock that the kernel drops when the process ends, however it ends: Node has no flock, and a pid file proves
 * nothing. It is SQLite's lock on a small file of its own (not on the database it guards, so that the writer thread and
 * the readers of this process go on sharing that one). Nobody else may open that file in this process: closing any
 * descriptor of it would drop the POSIX lock.
 * @throws {SpacedriveError} LOCKED when another process (or another owner in this one) holds it
 */
export function acquireLock(file: string, what: string): FileLock {
  if (held.has(file)) throw locked(what)
  let db: BetterSqlite.Database | undefined
  try {
    db = new BetterSqlite(file, { timeout: TRY_MS })
    db.pragma('journal_mode = MEMORY')
    db.pragma('locking_mode = EXCLUSIVE')
    db.exec('BEGIN EXCLUSIVE')
  } catch (cause) {
    db?.close()
    if ((cause as { code?: string }).code?.startsWith('SQLITE_BUSY')) throw locked(what)
    throw new SpacedriveError('LOCK_FAILED', `could not lock ${file}`, { cause })
  }
  const connection = db
  held.set(file, connection)
  return {
    release() {
      if (!held.delete(file)) return
      connection.close()
    }
  }
}

/** With their connections: one that nobody refers to is closed by the garbage collector, and the lock with it. */
const held = new Map<string, BetterSqlite.Database>()

function locked(what: string): SpacedriveError {
  return new SpacedriveError('LOCKED', `${what} is in use by another process`)
}
