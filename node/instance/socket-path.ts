import { createHash } from 'node:crypto'
import { lstatSync, mkdtempSync } from 'node:fs'
import { platform, tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AbsPath, pathBytes } from '../../storage/base/index.js'
import { DEFAULT_INSTANCE, ensurePrivateDir, instanceNameOf } from './data-dir.js'

/** sockaddr_un.sun_path without its closing NUL: 108 bytes on Linux, 104 on macOS and the BSDs. */
export const MAX_SOCKET_PATH_BYTES = platform() === 'linux' ? 107 : 103
/** 64 bits: two data directories of one user do not meet. */
const HASH_DIGITS = 16

/**
 * Where the daemon of a data directory listens: `$XDG_RUNTIME_DIR/spacedrive/`, else the data directory itself, else (too
 * long a path) a fresh private folder in the temporary directory. Each lies in a directory that only this user may enter.
 * @param realDataDir - resolved, so that every way of naming one directory gives one socket
 */
export function chooseSocketPath(realDataDir: AbsPath, env: NodeJS.ProcessEnv = process.env): AbsPath {
  const candidates: string[] = []
  const runtime = env.XDG_RUNTIME_DIR
  if (runtime !== undefined && isPrivateDir(runtime)) {
    const dir = join(runtime, 'spacedrive')
    const hash = createHash('sha256').update(pathBytes(realDataDir)).digest('hex').slice(0, HASH_DIGITS)
    const path = join(dir, `${instanceLabel(realDataDir)}-${hash}.sock`)
    if (fits(path) && ensurePrivateDir(dir)) candidates.push(path)
  }
  candidates.push(join(realDataDir, 'daemon.sock'))
  const path = candidates.find(fits)
  if (path !== undefined) return path as AbsPath
  for (const parent of [tmpdir(), '/tmp']) {
    if (fits(join(parent, 'spacedrive-XXXXXX', 'd.sock'))) {
      return join(mkdtempSync(join(parent, 'spacedrive-')), 'd.sock') as AbsPath
    }
  }
  return join(realDataDir, 'daemon.sock') as AbsPath // listening will fail and name the path
}

function fits(path: string): boolean {
  return pathBytes(path).length <= MAX_SOCKET_PATH_BYTES
}

/** `default` or the instance's name: for people who look into the runtime directory. */
function instanceLabel(dir: string): string {
  return instanceNameOf(dir) ?? DEFAULT_INSTANCE
}

/** The XDG specification: owned by the user, mode 0700. One that is not is not used. */
function isPrivateDir(dir: string): boolean {
  if (!dir.startsWith('/')) return false
  const stat = lstatSync(dir, { throwIfNoEntry: false })
  if (stat === undefined || !stat.isDirectory()) return false
  return process.getuid === undefined || (stat.uid === process.getuid() && (stat.mode & 0o077) === 0)
}
