import { resolve } from 'node:path'
import { SpacedriveError } from '../../storage/base/index.js'

/**
 * A path as it was typed, absolute. An empty one is refused: it would be the folder that one stands in, and is nearly always a variable of
 * the shell that nothing was put into.
 * @throws {SpacedriveError} USAGE
 */
export function resolveTyped(cwd: string, path: string): string {
  if (path !== '') return resolve(cwd, path)
  throw new SpacedriveError('USAGE', 'expected a path, got an empty one', {
    hint: 'A dot is the folder you are in.'
  })
}
