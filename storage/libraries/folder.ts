import { randomUUID } from 'node:crypto'
import { copyFileSync, existsSync, lstatSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type AbsPath, displayPath, hasCode, SpacedriveError, toError } from '../base/index.js'
import { removeEmptyDir, removeFile } from '../files/index.js'
import { acquireLock, type FileLock } from '../sql/index.js'

export const DATABASE_FILE = 'database.db'
export const LOCK_FILE = '.sdlibrary.lock'
export const BACKUPS = 'backups'
export const THUMBNAILS = 'thumbnails'

export const databaseIn = (folder: AbsPath): string => join(folder, DATABASE_FILE)

/** Name for something kept at a moment: sorts by time, and no two are the same. */
export function stamped(prefix: string, nowMs: number): string {
  return `${prefix}.${new Date(nowMs).toISOString().replace(/[:.]/g, '-')}-${randomUUID().slice(0, 4)}`
}

/** Copies a damaged database (with its journal) into backups/ as it is, once. @returns the copy */
export function keepDamaged(folder: AbsPath, nowMs: number): AbsPath {
  const dir = join(folder, BACKUPS)
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const prefix = `${DATABASE_FILE}.damaged`
  const { mtimeMs, size } = statSync(databaseIn(folder))
  const kept = readdirSync(dir)
    .filter(name => name.startsWith(prefix) && !name.endsWith('-wal'))
    .map(name => ({ path: join(dir, name) as AbsPath, stat: statSync(join(dir, name)) }))
    .find(k => k.stat.mtimeMs >= mtimeMs && k.stat.size === size)
  if (kept !== undefined) return kept.path
  const copy = join(dir, stamped(prefix, nowMs)) as AbsPath
  for (const suffix of ['', '-wal']) {
    if (existsSync(databaseIn(folder) + suffix)) copyFileSync(databaseIn(folder) + suffix, copy + suffix)
  }
  return copy
}

export async function removeDatabase(folder: AbsPath): Promise<void> {
  // The journal first: a database without its journal is whole, a journal without its database is nothing.
  for (const suffix of ['-shm', '-wal', '']) await removeFile(databaseIn(folder) + suffix)
}

/**
 * Removes what a library consists of, and its folder if nothing else is in it.
 * @returns names of what was not ours and stays
 */
export async function removeLibraryFolder(folder: AbsPath): Promise<string[]> {
  for (const dir of [BACKUPS, THUMBNAILS]) await removeBelow(join(folder, dir))
  await removeDatabase(folder)
  for (const suffix of ['-journal', '']) await removeFile(join(folder, LOCK_FILE) + suffix)
  await removeFile(join(folder, 'library.json'))
  return (await removeEmptyDir(folder)) || !existsSync(folder) ? [] : readdirSync(folder)
}

/** Our own folders within a library: emptied bottom up, links removed as links. */
async function removeBelow(dir: string): Promise<void> {
  const at = lstatSync(dir, { throwIfNoEntry: false })
  if (at === undefined) return
  if (!at.isDirectory()) {
    await removeFile(dir)
    return
  }
  for (const name of readdirSync(dir)) await removeBelow(join(dir, name))
  await removeEmptyDir(dir)
}

/** @throws EXISTS, CANNOT_CREATE */
export function makeFolder(folder: AbsPath): void {
  const shown = displayPath(folder)
  try {
    mkdirSync(folder, { mode: 0o700 })
  } catch (cause) {
    if (hasCode(cause, 'EEXIST')) {
      throw new SpacedriveError('EXISTS', `could not make the library ${shown}: it exists already`, {
        hint: `Choose another name, or open it: spacedrive library open "${shown}"`
      })
    }
    throw new SpacedriveError('CANNOT_CREATE', `could not make ${shown}: ${toError(cause).message}`, {
      cause,
      hint: 'Choose a folder that exists and that you may write to with --path.'
    })
  }
}

/** One process at a time; the lock goes with the process, however it ends. @throws LOCKED */
export function lockFolder(folder: AbsPath): FileLock {
  try {
    return acquireLock(join(folder, LOCK_FILE), `the library ${displayPath(folder)}`)
  } catch (err) {
    if (!hasCode(err, 'LOCKED')) throw err
    throw new SpacedriveError('LOCKED', `the library ${displayPath(folder)} is open in another daemon`, {
      cause: err,
      hint: 'Close it there: spacedrive library close (instance list shows the daemons of this device).'
    })
  }
}
