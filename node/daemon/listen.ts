import { chmodSync, lstatSync } from 'node:fs'
import { dirname } from 'node:path'
import { type AbsPath, displayPath, SpacedriveError, toError } from '../../storage/base/index.js'
import { removeEmptyDir, removeFile } from '../../storage/files/own-files.js'
import { answers, chooseSocketPath, findPlace, pidFile, placeFile, writePlace } from '../instance/index.js'
import { VERSION } from '../version.js'
import type { Api } from './api.js'

/**
 * Makes the API reachable. The lock of the data directory is held, so whatever an earlier daemon left here is stale, unless
 * somebody answers on it.
 * @returns what takes the names away again (not the connections)
 * @throws {SpacedriveError} SOCKET
 */
export async function publish(api: Api, dataDir: AbsPath, startedAt: number): Promise<() => Promise<void>> {
  const before = findPlace(dataDir)
  const socket = chooseSocketPath(dataDir)
  for (const path of new Set([before?.socket, socket])) if (path !== undefined) await clearStale(path)
  if (before !== undefined && before.socket !== socket) await removeTempDir(before.socket)
  try {
    await api.listen(socket)
    chmodSync(socket, 0o600)
  } catch (err) {
    throw new SpacedriveError('SOCKET', `could not listen on ${displayPath(socket)}: ${toError(err).message}`, {
      cause: err,
      hint: 'Set XDG_RUNTIME_DIR to a private directory of yours with a short name, or choose another --data-dir.'
    })
  }
  writePlace(dataDir, { socket, pid: process.pid, version: VERSION, startedAt })
  return async () => {
    // libuv takes the socket's name away when listening ends.
    api.stopListening()
    await removeFile(placeFile(dataDir))
    await removeFile(pidFile(dataDir))
    await removeTempDir(socket)
  }
}

/** Removes a socket that nobody answers on. @throws {SpacedriveError} SOCKET when it is alive, or no socket of ours */
async function clearStale(path: AbsPath): Promise<void> {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return
  const shown = displayPath(path)
  if (!stat.isSocket() || stat.uid !== (process.getuid?.() ?? stat.uid)) {
    throw new SpacedriveError('SOCKET', `could not listen on ${shown}: something else stands there`, {
      hint: 'Look what it is, and remove it.'
    })
  }
  if (await answers(path)) {
    throw new SpacedriveError('SOCKET', `could not listen on ${shown}: another program answers on it`)
  }
  await removeFile(path)
}

/** The private folder in the temporary directory that a long path needed. */
async function removeTempDir(socket: string): Promise<void> {
  if (/\/spacedrive-[A-Za-z0-9]{6}\/d\.sock$/.test(socket)) await removeEmptyDir(dirname(socket)).catch(() => false)
}
