import { displayPath, nameOf, parentOf, type RelPath, SpacedriveError } from '../base/index.js'
import type { EntryStat, Expected } from './fingerprint.js'
import { differs } from './look.js'
import { lookAt } from './place-step.js'
import { diskError } from './problems.js'
import type { RootAccess } from './root.js'

/** Bits that one end may ask another to set; owners, set-id and sticky do not travel by this. */
const MODE_BITS = 0o777

/** @throws EXISTS */
export function makeDirectory({ disk, dirs }: RootAccess, path: RelPath): void {
  try {
    disk.makeDir(dirs.open(parentOf(path)), nameOf(path), 0o777)
  } catch (err) {
    throw diskError('make', path, err)
  }
}

/** @throws NOT_EMPTY: never recursively */
export function removeDirectory({ disk, dirs }: RootAccess, path: RelPath): void {
  try {
    disk.removeDir(dirs.open(parentOf(path)), nameOf(path))
    dirs.forget(path)
  } catch (err) {
    throw diskError('remove', path, err)
  }
}

export interface Attributes {
  readonly mode?: number | undefined
  readonly mtimeNs?: bigint | undefined
}

/**
 * @returns of a file: what it is then, whoever writes to it meanwhile: that is to be found by it
 * @throws CHANGED when it is not what was expected
 */
export function setAttributes(
  access: RootAccess,
  path: RelPath,
  { mode, mtimeNs }: Attributes,
  expected?: Expected
): EntryStat | undefined {
  const { disk, root, dirs } = access
  const at = lookAt(access, path)
  if (at === undefined || (expected !== undefined && differs(access, expected, at, false))) {
    throw new SpacedriveError('CHANGED', `could not change ${displayPath(path)}: it is not what was expected there`)
  }
  try {
    if (at.kind === 'symlink') {
      if (mtimeNs !== undefined) disk.setLinkMtime(dirs.open(parentOf(path)), nameOf(path), mtimeNs)
      return undefined
    }
    const opened =
      at.kind === 'directory' ? dirs.open(path) : disk.open(dirs.open(parentOf(path)), nameOf(path), 'read')
    try {
      // It may have been swapped or written to since it was looked at: what is open is what is changed.
      const now = disk.stat(opened)
      if (now.inode !== at.inode || (at.kind === 'file' && !isAsItWas(at, now))) {
        throw new SpacedriveError('CHANGED', `could not change ${displayPath(path)}: it was changed meanwhile`)
      }
      if (mode !== undefined) disk.setMode(opened, mode & MODE_BITS)
      if (mtimeNs !== undefined) disk.setMtime(opened, mtimeNs)
      if (at.kind !== 'file') return undefined
      const setNs = mtimeNs === undefined ? at.mtimeNs : mtimeNs - (mtimeNs % root.capabilities.timeStepNs)
      return { ...disk.stat(opened), sizeBytes: at.sizeBytes, mtimeNs: setNs }
    } finally {
      if (typeof opened === 'number') disk.close(opened)
    }
  } catch (err) {
    throw diskError('set mode and time of', path, err)
  }
}

const isAsItWas = (before: EntryStat, now: EntryStat): boolean =>
  now.sizeBytes === before.sizeBytes && now.mtimeNs === before.mtimeNs
