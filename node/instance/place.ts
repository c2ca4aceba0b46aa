import { closeSync, constants, fstatSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type AbsPath, errorCode } from '../../storage/base/index.js'

/**
 * What a running daemon leaves in its data directory (`daemon.json`): where its socket is. Whether it lives is answered by
 * the socket alone; the pid is for people, since pids are used again.
 */
export interface DaemonPlace {
  readonly socket: AbsPath
  readonly pid: number
  readonly version: string
  readonly startedAt: number
}

/** A place file is a few hundred bytes; whatever is longer is not ours. */
const MAX_PLACE_BYTES = 16 * 1024

export const placeFile = (dataDir: string): AbsPath => join(dataDir, 'daemon.json') as AbsPath
export const pidFile = (dataDir: string): AbsPath => join(dataDir, 'daemon.pid') as AbsPath
export const lockFile = (dataDir: string): AbsPath => join(dataDir, 'daemon.lock') as AbsPath

/** @returns undefined when there is none, or none that can be understood */
export function findPlace(dataDir: string): DaemonPlace | undefined {
  let value: unknown
  try {
    value = JSON.parse(readSmall(placeFile(dataDir)))
  } catch (err) {
    if (errorCode(err) === 'EACCES') throw err
    return undefined
  }
  const { socket, pid, version, startedAt } = (value ?? {}) as Partial<Record<keyof DaemonPlace, unknown>>
  if (typeof socket !== 'string' || !socket.startsWith('/') || typeof pid !== 'number') return undefined
  return {
    socket: socket as AbsPath,
    pid,
    version: typeof version === 'string' ? version : '',
    startedAt: typeof startedAt === 'number' ? startedAt : 0
  }
}

function readSmall(file: string): string {
  const fd = openSync(file, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0))
  try {
    const stat = fstatSync(fd)
    return stat.isFile() && stat.size <= MAX_PLACE_BYTES ? readFileSync(fd, 'utf8') : ''
  } finally {
    closeSync(fd)
  }
}

/** Written while the lock of the data directory is held. RACE: a reader may see it half written and takes it for absent. */
export function writePlace(dataDir: string, place: DaemonPlace): void {
  writeFileSync(placeFile(dataDir), `${JSON.stringify(place)}\n`, { mode: 0o600 })
  writeFileSync(pidFile(dataDir), `${place.pid}\n`, { mode: 0o600 })
}
