import { chmodSync, lstatSync, mkdirSync, readdirSync, realpathSync, statSync } from 'node:fs'
import { homedir, platform } from 'node:os'
import { basename, join, resolve } from 'node:path'
import {
  type AbsPath,
  displayPath,
  errorCode,
  isPlainUtf8,
  SpacedriveError,
  toError
} from '../../storage/base/index.js'

/** Short enough for socket names, plain enough for every file system and shell. */
const INSTANCE_NAME = /^[a-z0-9][a-z0-9_-]{0,31}$/
/** How the instance without a name is named where a name is asked for. */
export const DEFAULT_INSTANCE = 'default'
/** What may lie in a directory that we take for a data directory although others can read it. */
const OURS =
  /^(daemon\.(lock|lock-journal|json|pid|sock)|instance\.db(-wal|-shm)?|config\.json|logs|instance-[a-z0-9_-]+)$/

export interface DataDirInit {
  dataDir?: string | undefined
  instance?: string | undefined
  env?: NodeJS.ProcessEnv
  cwd?: string
}

/**
 * `--data-dir`, else SPACEDRIVE_DATA_DIR, else the platform's place; with an instance name `instance-NAME` beneath it.
 * @throws {SpacedriveError} USAGE for a name that cannot be one
 */
export function dataDirOf({ dataDir, instance, env = process.env, cwd = process.cwd() }: DataDirInit): AbsPath {
  const base = baseDirOf({ dataDir, env, cwd })
  if (instance === undefined || instance === DEFAULT_INSTANCE) return base
  if (!INSTANCE_NAME.test(instance)) {
    throw new SpacedriveError('USAGE', `"${instance.slice(0, 64)}" cannot be the name of an instance`, {
      hint: 'A name has 1 to 32 of a-z, 0-9, - and _, and begins with a letter or a digit.'
    })
  }
  return join(base, `instance-${instance}`) as AbsPath
}

/** The name of the instance whose data lies there; undefined for the one without. */
export function instanceNameOf(dataDir: string): string | undefined {
  return /^instance-([a-z0-9][a-z0-9_-]{0,31})$/.exec(basename(dataDir))?.[1]
}

/** The directory of the instance without a name; the named ones lie in it. */
export function baseDirOf({ dataDir, env = process.env, cwd = process.cwd() }: DataDirInit): AbsPath {
  const chosen = dataDir ?? (env.SPACEDRIVE_DATA_DIR || undefined)
  if (dataDir === '') throw new SpacedriveError('USAGE', '--data-dir is empty', { hint: 'Name a directory.' })
  if (chosen?.includes('\0')) throw new SpacedriveError('USAGE', 'the data directory has a NUL byte in its name')
  const path = chosen === undefined ? platformDir(env) : resolve(cwd, chosen)
  if (!isPlainUtf8(path) || path.includes('\ufffd')) {
    throw new SpacedriveError('USAGE', `the data directory ${displayPath(path)} is not valid UTF-8`, {
      hint: 'SQLite takes no such path. Name another with --data-dir.'
    })
  }
  return path as AbsPath
}

function platformDir(env: NodeJS.ProcessEnv): string {
  switch (platform()) {
    case 'darwin':
      return join(homedir(), 'Library', 'Application Support', 'spacedrive')
    case 'win32':
      return join(env.LOCALAPPDATA ?? join(homedir(), 'AppData', 'Local'), 'spacedrive')
    default:
      // The XDG specification: a relative path there is to be ignored.
      return join(
        env.XDG_DATA_HOME?.startsWith('/') ? env.XDG_DATA_HOME : join(homedir(), '.local', 'share'),
        'spacedrive'
      )
  }
}

/**
 * Makes the data directory for this user alone (0700 whatever the umask), or checks the one that is there.
 * @returns its real path
 * @throws {SpacedriveError} DATA_DIR when it is not a directory, belongs to somebody else, or is open to others and holds
 *   things that are not ours (so that `--data-dir ~` does not lock a home away)
 */
export function ensureDataDir(dataDir: AbsPath): AbsPath {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  } catch (err) {
    if (errorCode(err) !== 'EEXIST') throw refused(dataDir, toError(err).message, 'Choose another with --data-dir.')
  }
  const stat = statSync(dataDir, { throwIfNoEntry: false })
  if (stat === undefined || !stat.isDirectory()) throw refused(dataDir, 'it is not a directory')
  ensurePrivate(dataDir, stat.uid, stat.mode)
  return realpathSync(dataDir) as AbsPath
}

function ensurePrivate(dir: string, uid: number, mode: number): void {
  if (process.getuid === undefined) return
  if (uid !== process.getuid()) throw refused(dir, 'it belongs to another user')
  if ((mode & 0o077) === 0) return
  const foreign = readdirSync(dir).find(name => !OURS.test(name))
  if (foreign !== undefined) {
    throw refused(
      dir,
      `others may enter it and it holds what is not ours (${displayPath(foreign)})`,
      'Name a directory of its own, or close this one with chmod 700.'
    )
  }
  chmodSync(dir, 0o700)
}

/**
 * Makes a directory for sockets, or checks the one that is there: ours, no link, closed to others.
 * @returns false when it cannot be used
 */
export function ensurePrivateDir(dir: string): boolean {
  try {
    mkdirSync(dir, { mode: 0o700 })
  } catch (err) {
    if (errorCode(err) !== 'EEXIST') return false
  }
  const stat = lstatSync(dir, { throwIfNoEntry: false })
  if (stat === undefined || !stat.isDirectory() || stat.uid !== (process.getuid?.() ?? stat.uid)) return false
  if ((stat.mode & 0o077) !== 0) chmodSync(dir, 0o700)
  return true
}

function refused(dir: string, why: string, hint = 'Name another with --data-dir.'): SpacedriveError {
  return new SpacedriveError('DATA_DIR', `could not use the data directory ${displayPath(dir)}: ${why}`, { hint })
}

/** Where a command puts standard input that the daemon is to send. */
export function spoolDirOf(dataDir: AbsPath): AbsPath {
  return join(dataDir, 'spool') as AbsPath
}
