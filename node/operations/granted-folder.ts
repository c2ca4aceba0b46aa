/** Folders that another device is let into: named by where they really lie, and never what belongs to this program. */
import { realpath, stat } from 'node:fs/promises'
import { type AbsPath, displayPath, isWithin, SpacedriveError } from '../../storage/base/index.js'
import type { Peer } from '../compose.js'

/** @param what - for the text of an error: `grant` @throws {SpacedriveError} MISSING, NOT_A_DIRECTORY, OURS */
export async function folderToLet(peer: Peer, path: string, what: string): Promise<AbsPath> {
  const folder = await realFolder(path, what)
  const own = [peer.dataDir, ...peer.libraries.opened().map(l => l.path)].find(o => isWithin(folder, o))
  if (own === undefined) return folder
  throw new SpacedriveError('OURS', `could not ${what} ${displayPath(folder)}: it belongs to this program`, {
    hint: 'Choose a folder outside of data directories and libraries.'
  })
}

/** Where a folder really lies: what is let in never follows a link to another place later on. */
export async function realFolder(path: string, what: string): Promise<AbsPath> {
  const shown = displayPath(path)
  const real = await realpath(path).catch(() => {
    throw new SpacedriveError('MISSING', `could not ${what} ${shown}: it is not there`)
  })
  if ((await stat(real)).isDirectory()) return real as AbsPath
  throw new SpacedriveError('NOT_A_DIRECTORY', `could not ${what} ${shown}: it is no folder`, {
    hint: 'Name the folder it lies in.'
  })
}
