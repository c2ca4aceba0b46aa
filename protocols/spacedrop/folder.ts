import { constants } from 'node:fs'
import { access, lstat, mkdir, stat, statfs } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import {
  type AbsPath,
  displayPath,
  fsPath,
  hasCode,
  isWithin,
  MAX_NAME_BYTES,
  SpacedriveError,
  toError
} from '../../storage/base/index.js'
import type { FolderFacts } from './names.js'

/** A folder that may receive, looked at without writing anything into it. */
export interface FolderLook {
  readonly facts: FolderFacts
  readonly freeBytes: number
  /** Stays free: the larger of 1 % and 512 MiB (SYNC.md 5). */
  readonly reserveBytes: number
}

const RESERVE_SHARE = 0.01
const MIN_RESERVE_BYTES = 512 * 1024 * 1024

/** Looks at a folder, or where it is not there yet at the one it will be made in. */
export async function lookAtFolder(folder: AbsPath): Promise<FolderLook> {
  const there = await nearest(folder)
  const { bavail, blocks, bsize } = await statfs(fsPath(there))
  return {
    facts: {
      maxNameBytes: await longestName(there),
      foldsCase: await foldsCase(there),
      // Not to be seen without writing; what is placed is judged once more by the disk itself (protocols/transfer).
      foldsUnicode: process.platform === 'darwin',
      windows: process.platform === 'win32'
    },
    freeBytes: bavail * bsize,
    reserveBytes: Math.max(Math.floor(blocks * bsize * RESERVE_SHARE), MIN_RESERVE_BYTES)
  }
}

/** @throws {SpacedriveError} NO_SPACE with the figures */
export function ensureSpace({ freeBytes, reserveBytes }: FolderLook, bytes: number, folder: AbsPath): void {
  if (fits({ freeBytes, reserveBytes }, bytes)) return
  throw new SpacedriveError(
    'NO_SPACE',
    `there is not enough space in ${displayPath(folder)}: ${bytes} bytes are offered, ${freeBytes} are free and ${reserveBytes} of them stay free`,
    {
      hint: 'Free some space, take a part with --only, or choose another disk with --to.',
      details: { bytes, freeBytes, reserveBytes }
    }
  )
}

export function fits(
  { freeBytes, reserveBytes }: Pick<FolderLook, 'freeBytes' | 'reserveBytes'>,
  bytes: number
): boolean {
  return bytes <= freeBytes - reserveBytes
}

/**
 * Makes the folder if need be and sees that it can be written to.
 * @param options.parents - make those above it too: for the downloads folder; one that a person typed may have a typing error
 * @throws {SpacedriveError} NOT_FOUND, NOT_A_FOLDER, READ_ONLY, OURS
 */
export async function ensureFolder(
  folder: AbsPath,
  { parents, ours }: { parents: boolean; ours: AbsPath }
): Promise<void> {
  const shown = displayPath(folder)
  if (isWithin(folder, ours) || isWithin(folder, ours.replace(/\/$/, ''))) {
    throw new SpacedriveError('OURS', `could not receive into ${shown}: that is the data of this program`, {
      hint: 'Choose another folder with --to.'
    })
  }
  try {
    await mkdir(fsPath(folder), { recursive: parents })
  } catch (cause) {
    if (hasCode(cause, 'ENOENT')) {
      throw new SpacedriveError(
        'NOT_FOUND',
        `could not receive into ${shown}: the folder it would lie in does not exist`,
        {
          cause,
          hint: 'Make it, or correct --to.'
        }
      )
    }
    if (!hasCode(cause, 'EEXIST')) throw cannotWrite(shown, cause)
  }
  if (!(await stat(fsPath(folder))).isDirectory()) {
    throw new SpacedriveError('NOT_A_FOLDER', `could not receive into ${shown}: it is not a folder`, {
      hint: 'Choose a folder with --to.'
    })
  }
  try {
    await access(fsPath(folder), constants.W_OK | constants.X_OK)
  } catch (cause) {
    throw cannotWrite(shown, cause)
  }
}

function cannotWrite(shown: string, cause: unknown): SpacedriveError {
  return new SpacedriveError('READ_ONLY', `could not receive into ${shown}: ${toError(cause).message}`, {
    cause,
    hint: 'Choose a folder that you may write to with --to.'
  })
}

async function nearest(folder: AbsPath): Promise<AbsPath> {
  for (let at = folder; ; at = dirname(at) as AbsPath) {
    try {
      if ((await stat(fsPath(at))).isDirectory()) return at
    } catch (err) {
      if (!hasCode(err, 'ENOENT', 'ENOTDIR', 'EACCES') || at === '/') throw err
    }
  }
}

/** The kernel refuses too long a name before it looks for it: no file is made to find out. */
async function longestName(folder: AbsPath): Promise<number> {
  const takes = async (bytes: number): Promise<boolean> => {
    try {
      await lstat(fsPath(join(folder, 'x'.repeat(bytes))))
      return true
    } catch (err) {
      return !hasCode(err, 'ENAMETOOLONG')
    }
  }
  if (await takes(MAX_NAME_BYTES)) return MAX_NAME_BYTES
  let low = 1
  let high = MAX_NAME_BYTES
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (await takes(middle)) low = middle
    else high = middle
  }
  return low
}

/** The folder itself under a name with other capitals: the same one? Names without letters tell nothing: no. */
async function foldsCase(folder: AbsPath): Promise<boolean> {
  for (let at = folder as string; at !== dirname(at); at = dirname(at)) {
    const name = basename(at)
    const other = name === name.toUpperCase() ? name.toLowerCase() : name.toUpperCase()
    if (other === name) continue
    try {
      const [a, b] = await Promise.all([
        stat(fsPath(at), { bigint: true }),
        stat(fsPath(join(dirname(at), other)), { bigint: true })
      ])
      return a.ino === b.ino && a.dev === b.dev
    } catch {
      return false
    }
  }
  return false
}
