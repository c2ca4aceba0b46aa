import { copyFileSync, lstatSync, mkdirSync, readdirSync, type Stats } from 'node:fs'
import { join } from 'node:path'
import { type AbsPath, displayPath, SpacedriveError } from '../base/index.js'

/**
 * What lies in a data directory only after an instance had its database there. Not the settings, the log or the lock: those
 * may come before it, and a first start that was cut off is simply made again.
 */
const TRACES = ['identity.key', 'own', 'syncs', 'vectors.db', 'trash', 'transfers', 'instance.db-wal', 'backups']

/**
 * Refuses to begin anew over what an instance left. SQLite takes a missing file and one of no length for a new database, and
 * throws away the log (`-wal`) that lies beside it: so this looks before SQLite does.
 * @param newDatabase - a person said that the database is to be made anew; a log without its database is kept in `backups/`
 * @throws {SpacedriveError} DATABASE_LOST with what is there and the way on
 */
export function refuseLost(dataDir: AbsPath, newDatabase: boolean): void {
  const lost = findLost(dataDir)
  if (lost === undefined) return
  if (!newDatabase) throw lost
  keepLog(dataDir)
}

/** DATABASE_LOST, with what is there and the way on, where an instance lived and has no database any more. */
export function findLost(dataDir: AbsPath): SpacedriveError | undefined {
  const file = join(dataDir, 'instance.db')
  const at = statOf(file)
  if (at !== undefined && at.size > 0) return undefined
  const found = TRACES.filter(name => holdsSomething(join(dataDir, name)))
  if (found.length === 0) return undefined
  const state = at === undefined ? 'is not there' : 'is empty'
  return new SpacedriveError(
    'DATABASE_LOST',
    `the database ${displayPath(file)} ${state}, and an instance lived here: ${found.join(', ')}`,
    {
      hint: `It holds the paired devices, the syncs and the jobs. Put back a copy of it, with its -wal if there is one; devices that were revoked since it was made are trusted again then.${upgradeCopy(dataDir)} Without a copy, \`spacedrive start --new-database\` makes a new one: devices are paired and syncs added anew then; files, their versions and the key of this device stay.`
    }
  )
}

/** The copies that upgrades made (storage/sql/migrate): named, never put back unasked, since who was revoked since is trusted in them. */
function upgradeCopy(dataDir: AbsPath): string {
  const dir = join(dataDir, 'backups')
  const copies = namesIn(dir)
    .filter(name => /^instance\.db\.v\d+$/.test(name))
    .map(name => ({ path: join(dir, name), atMs: statOf(join(dir, name))?.mtimeMs ?? 0 }))
    .sort((a, b) => b.atMs - a.atMs)
  const newest = copies[0]
  if (newest === undefined) return ''
  const day = new Date(newest.atMs).toISOString().slice(0, 10)
  return ` An upgrade left ${displayPath(newest.path)} (${day}): what was paired, revoked or synced since is not in it.`
}

function keepLog(dataDir: AbsPath): void {
  const log = join(dataDir, 'instance.db-wal')
  const at = statOf(log)
  if (at === undefined || at.size === 0) return
  const dir = join(dataDir, 'backups')
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  copyFileSync(log, join(dir, `instance.db-wal.${Math.floor(at.mtimeMs)}`))
}

const statOf = (path: string): Stats | undefined => lstatSync(path, { throwIfNoEntry: false })

function holdsSomething(path: string): boolean {
  const at = statOf(path)
  if (at === undefined) return false
  return at.isDirectory() ? namesIn(path).length > 0 : at.size > 0
}

function namesIn(dir: string): string[] {
  return statOf(dir)?.isDirectory() === true ? readdirSync(dir) : []
}
