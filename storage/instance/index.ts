/**
 * The instance database: what belongs to this device and never travels: devices and trust, pair secrets, outbox, offers,
 * transfers, jobs, syncs. Its tables are in storage/migrations/instance; the code that reads and writes each lies with its
 * owner as `*.worker.ts` (writes) and point reads.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type AbsPath, displayPath, hasCode, SpacedriveError } from '../base/index.js'
import { acquireLock, type Database, openDatabase } from '../sql/index.js'
import { refuseLost } from './lost.js'

export { findLost } from './lost.js'

export interface OpenInstanceOptions {
  /** Said by a person: where the database of an instance that lived here is lost, a new one is made. One that is there is used. */
  newDatabase?: boolean | undefined
}

export interface InstanceDatabase extends Database {
  readonly dataDir: AbsPath
}

/**
 * Takes the lock of the data directory and opens the database; `close` gives both back.
 * @throws {SpacedriveError} LOCKED when another daemon uses this data directory; what `openDatabase` throws; DATABASE_CORRUPT
 *   and DATABASE_LOST with the way on: what is trusted is never guessed at from a damaged file, and nothing begins anew in silence
 */
export async function openInstance(
  dataDir: AbsPath,
  { newDatabase = false }: OpenInstanceOptions = {}
): Promise<InstanceDatabase> {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const lock = acquireLock(join(dataDir, 'daemon.lock'), `the data directory ${dataDir}`)
  try {
    refuseLost(dataDir, newDatabase)
    const database = await openDatabase({
      file: join(dataDir, 'instance.db'),
      schema: 'instance',
      synchronous: 'FULL',
      backupDir: join(dataDir, 'backups')
    })
    const cured = <I extends unknown[], O>(read: (...input: I) => O): ((...input: I) => O) => {
      return (...input) => {
        try {
          return read(...input)
        } catch (err) {
          throw withCure(dataDir, err)
        }
      }
    }
    return {
      ...database,
      get: cured(database.get) as Database['get'],
      all: cured(database.all) as Database['all'],
      dataDir,
      async close() {
        await database.close()
        lock.release()
      }
    }
  } catch (err) {
    lock.release()
    throw withCure(dataDir, err)
  }
}

function withCure(dataDir: AbsPath, err: unknown): unknown {
  if (!hasCode(err, 'DATABASE_CORRUPT')) return err
  return new SpacedriveError('DATABASE_CORRUPT', (err as Error).message, {
    cause: err,
    hint: `It holds the paired devices, the syncs and the jobs. Stop the daemon, then put back a copy of it (devices that were revoked since it was made are trusted again then), or move ${displayPath(join(dataDir, 'instance.db'))} and what begins with its name away and run \`spacedrive start --new-database\`: devices are paired and syncs added anew then; files, their versions and the key of this device stay.`
  })
}
