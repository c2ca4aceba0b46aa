import { realpath } from 'node:fs/promises'
import {
  type AbsPath,
  displayPath,
  errorCode,
  fsPath,
  hasCode,
  SpacedriveError,
  textFromBytes
} from '../../storage/base/index.js'
import { withoutCovered } from './named-paths.js'

/** Real paths of what was named to be looked through, links followed, none within another. @throws {SpacedriveError} NOT_FOUND */
export async function readRoots(paths: readonly string[]): Promise<AbsPath[]> {
  const real = await Promise.all(
    paths.map(async path => {
      try {
        return textFromBytes(await realpath(fsPath(path), { encoding: 'buffer' })) as AbsPath
      } catch (cause) {
        if (hasCode(cause, 'ENOENT', 'ENOTDIR'))
          throw new SpacedriveError('NOT_FOUND', `there is no ${displayPath(path)}`, { cause })
        throw new SpacedriveError(errorCode(cause), `could not look at ${displayPath(path)}`, { cause })
      }
    })
  )
  return withoutCovered(real)
}
