import { constants } from 'node:fs'
import { access, realpath, stat } from 'node:fs/promises'
import {
  type AbsPath,
  displayPath,
  errorCode,
  fsPath,
  isWithin,
  SpacedriveError,
  textFromBytes,
  toError
} from '../base/index.js'
import { AREA_NAME, isTempName, MARKER_NAME } from '../files/index.js'

/**
 * The real path of a folder that can be a location.
 * @param ours - folders of the program itself: data directories, libraries that are open
 * @throws {SpacedriveError} NOT_FOUND, NOT_A_FOLDER, NO_PERMISSION, LOCATION_OURS
 */
export async function checkLocationPath(path: AbsPath, ours: readonly AbsPath[]): Promise<AbsPath> {
  const shown = displayPath(path)
  let real: AbsPath
  try {
    real = textFromBytes(await realpath(fsPath(path), { encoding: 'buffer' })) as AbsPath
    const s = await stat(fsPath(real))
    if (!s.isDirectory()) {
      throw new SpacedriveError('NOT_A_FOLDER', `could not add ${shown}: it is not a folder`, {
        hint: 'A location is a folder. Add the one that holds it.'
      })
    }
    await access(fsPath(real), constants.R_OK | constants.X_OK)
  } catch (cause) {
    throw refused(shown, cause)
  }
  await refuseOurs(real, ours)
  return real
}

function refused(shown: string, cause: unknown): SpacedriveError {
  if (cause instanceof SpacedriveError) return cause
  const code = errorCode(cause)
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new SpacedriveError('NOT_FOUND', `could not add ${shown}: there is no such folder`, {
      cause,
      hint: 'Check the spelling; a path with spaces needs quotes.'
    })
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return new SpacedriveError('NO_PERMISSION', `could not add ${shown}: this user may not read it`, {
      cause,
      hint: 'Give yourself the right to read it (chmod u+rx), or run the daemon as its owner.'
    })
  }
  if (code === 'ELOOP') {
    return new SpacedriveError('NOT_FOUND', `could not add ${shown}: its links lead round in a circle`, { cause })
  }
  return new SpacedriveError('LOCATION_REFUSED', `could not add ${shown}: ${toError(cause).message}`, { cause })
}

/** Our own places are unknown to every scan (SYNC.md 9); a location that is one of them, or in one, is a mistake. */
async function refuseOurs(path: AbsPath, ours: readonly AbsPath[]): Promise<void> {
  const refuse = (why: string): never => {
    throw new SpacedriveError('LOCATION_OURS', `could not add ${displayPath(path)}: ${why}`, {
      hint: 'Add a folder of your own files.'
    })
  }
  if (ours.some(own => isWithin(path, own))) refuse('it belongs to spacedrive itself')
  const names = path.split('/')
  if (names.some(isTempName)) refuse('it is a temporary folder of spacedrive')
  for (let i = names.indexOf(AREA_NAME); i > 0; i = names.indexOf(AREA_NAME, i + 1)) {
    const marker = `${names.slice(0, i + 1).join('/')}/${MARKER_NAME}`
    const marked = await stat(fsPath(marker)).then(
      () => true,
      () => false
    )
    if (marked) refuse('it holds what spacedrive keeps of a synced folder')
  }
}
