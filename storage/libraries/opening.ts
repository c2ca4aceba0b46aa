import { existsSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type AbsPath, displayPath, hasCode, SpacedriveError } from '../base/index.js'
import { type Database, openDatabase } from '../sql/index.js'
import { BACKUPS, databaseIn, keepDamaged } from './folder.js'
import { libraryTasks } from './libraries.worker.js'

/** Databases up to this size are looked through whenever they are opened (some 50 ms); larger ones on demand. */
const CHECKED_AT_OPENING_BYTES = 32 * 1024 * 1024
/** Page cache of the writer: the upper pages of the indexes of a million entries. */
const WRITER_CACHE_KIB = 12 * 1024

/**
 * Opens (makes, migrates after a copy) the database of a library folder.
 * @throws {SpacedriveError} DATABASE_CORRUPT, having kept a copy; DATABASE_NEWER
 */
export async function openLibraryDatabase(folder: AbsPath, nowMs: number): Promise<Database> {
  mkdirSync(join(folder, BACKUPS), { recursive: true, mode: 0o700 })
  const file = databaseIn(folder)
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0
  let database: Database | undefined
  try {
    database = await openDatabase({
      file,
      schema: 'library',
      synchronous: 'NORMAL',
      backupDir: join(folder, BACKUPS),
      cacheKiB: WRITER_CACHE_KIB
    })
    if (size > 0 && size <= CHECKED_AT_OPENING_BYTES) {
      const { ok, problems } = await database.maintain(libraryTasks.check, { quick: true })
      if (!ok) throw new SpacedriveError('DATABASE_CORRUPT', problems[0] ?? 'the check failed')
    }
    return database
  } catch (err) {
    await database?.close()
    if (!hasCode(err, 'DATABASE_CORRUPT', 'MIGRATION_FAILED') || !existsSync(file)) throw err
    throw corrupt(folder, err, nowMs)
  }
}

function corrupt(folder: AbsPath, cause: unknown, nowMs: number): SpacedriveError {
  const shown = displayPath(folder)
  let kept = ''
  try {
    kept = ` A copy of it as it is was kept in ${displayPath(keepDamaged(folder, nowMs))}.`
  } catch {
    kept = ' No copy of it could be made.'
  }
  return new SpacedriveError('DATABASE_CORRUPT', `the database of the library ${shown} is damaged.${kept}`, {
    cause,
    hint: `Build it anew: spacedrive library rebuild "${shown}" (your files are not touched; tags and notes are saved as far as they can be read).`
  })
}
