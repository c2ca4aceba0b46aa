import {
  displayPath,
  errorCode,
  type Problem,
  type RelPath,
  SpacedriveError,
  toError
} from '../../storage/base/index.js'

/** What a page says of one path that failed. */
export function problem(path: string, err: unknown): Problem {
  return { path: displayPath(path), code: errorCode(err), message: toError(err).message }
}

export function noSpace(bytes: number, room: number): SpacedriveError {
  const mib = (n: number): string => `${Math.ceil(Math.max(0, n) / 2 ** 20).toLocaleString('en-US')} MiB`
  return new SpacedriveError(
    'NO_SPACE',
    `the disk is full: the next file needs ${mib(bytes)}, there is room for ${mib(room)}`,
    {
      hint: 'Free some space and `job resume` it: what was copied is not copied again.',
      details: { neededBytes: bytes, roomBytes: room }
    }
  )
}

export const special = (path: RelPath): SpacedriveError =>
  new SpacedriveError(
    'SPECIAL_FILE',
    `could not copy ${displayPath(path)}: it is a device, a socket or a pipe, none of which has content`
  )

export const kindDiffers = (path: RelPath): SpacedriveError =>
  new SpacedriveError('KIND_DIFFERS', `could not copy ${displayPath(path)}: something of another kind stands there`, {
    hint: 'A folder never takes the place of a file, nor a file that of a folder: move one of them away first.'
  })
