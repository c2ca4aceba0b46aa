/**
 * The instance database: what belongs to this device and never travels: devices and trust, pair secrets, outbox, offers,
 * transfers, jobs, syncs. Its tables are in storage/migrations/instance; the code that reads and writes each lies with its
 * owner as `*.worker.ts` (writes) and point reads.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { AbsPath } from '../base/index.js'
import { acquireLock, type Database, openDatabase } from '../sql/index.js'

export interface InstanceDatabase extends Database {
  readonly dataDir: AbsPath
}

/**
 * Takes the lock of the data directory and opens the database; `close` gives both back.
 * @throws {SpacedriveError} LOCKED when another daemon uses this data directory; what `openDatabase` throws
 */
export async function openInstance(dataDir: AbsPath): Promise<InstanceDatabase> {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const lock = acquireLock(join(dataDir, 'daemon.lock'), `the data directory ${dataDir}`)
  try {
    const database = await openDatabase({
      file: join(dataDir, 'instance.db'),
      schema: 'instance',
      synchronous: 'FULL',
      backupDir: join(dataDir, 'backups')
    })
    return {
      ...database,
      dataDir,
      async close() {
        await database.close()
        lock.release()
      }
    }
  } catch (err) {
    lock.release()
    throw err
  }
}
