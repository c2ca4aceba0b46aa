import { lstat, readdir } from 'node:fs/promises'
import { type AbsPath, errorCode, fsPath, type RelPath, toError } from '../base/index.js'
import type { Placement, VolumeId } from '../volumes/index.js'
import type { RootIdentity } from './location.js'

/** What a look at the path of a location finds. */
export type RootFound =
  | { readonly there: false; readonly code: string; readonly message: string }
  | {
      readonly there: true
      readonly identity: RootIdentity
      /** Of this mount of its file system: not kept, it may be another one after a restart. */
      readonly device: bigint
      readonly placement: Placement | undefined
      readonly empty: boolean
    }

export interface RootRemembered {
  readonly root: RootIdentity | null
  readonly volume: VolumeId | null
  /** The index holds something below it. */
  readonly hadEntries: boolean
}

export type RootVerdict =
  /** `renew`: what was found is to be remembered. */
  | { readonly state: 'online'; readonly renew: boolean }
  | { readonly state: 'offline'; readonly code: 'GONE' | 'OTHER_DISK' | 'EMPTY_PLACE'; readonly message: string }

/** Never throws: whatever keeps us from looking is a root that is not there. */
export async function lookAtRoot(
  path: AbsPath,
  placementOf: (path: AbsPath) => Promise<Placement | undefined>
): Promise<RootFound> {
  try {
    const s = await lstat(fsPath(path), { bigint: true })
    if (!s.isDirectory())
      return { there: false, code: 'ENOTDIR', message: 'something that is no folder is at its place' }
    const placement = await placementOf(path)
    const names = await readdir(fsPath(path)).catch((): string[] => ['?'])
    const identity = { inode: s.ino, birthNs: s.birthtimeNs }
    return { there: true, identity, device: s.dev, placement, empty: names.length === 0 }
  } catch (err) {
    const code = errorCode(err)
    const message = code === 'ENOENT' ? 'its folder is not there' : toError(err).message
    return { there: false, code, message }
  }
}

/** A quick look: is it the very folder that was last found there? */
export async function isStillRoot(path: AbsPath, found: RootFound | undefined): Promise<boolean> {
  if (found === undefined || !found.there) return false
  try {
    const { ino, dev, birthtimeNs } = await lstat(fsPath(path), { bigint: true })
    return ino === found.identity.inode && dev === found.device && birthtimeNs === found.identity.birthNs
  } catch {
    return false
  }
}

/**
 * Tells a root that was emptied from one that is unmounted or away. The same inode and time of birth are the same folder.
 * Another folder at the place is taken for it only on the same volume, and only when it holds something or nothing was known:
 * the empty folder under a mount point, and another disk at the old place, never count as "everything was deleted".
 */
export function judgeRoot(remembered: RootRemembered, found: RootFound): RootVerdict {
  if (!found.there) return { state: 'offline', code: 'GONE', message: found.message }
  const { root, volume, hadEntries } = remembered
  const here = found.placement?.volume
  const sameVolume = volume === null || here === undefined || here.id === volume || looksAlike(volume, here.id)
  if (root === null) return { state: 'online', renew: true }
  if (root.inode === found.identity.inode && root.birthNs === found.identity.birthNs) {
    // Roots of file systems have the same inode everywhere, and mkfs gives them a time of birth in whole seconds: an id of
    // the same kind that says otherwise wins. Ids of two kinds (udev was not up yet) contradict nothing.
    const otherKind = volume !== null && here !== undefined && kindOf(volume) !== kindOf(here.id)
    if (sameVolume || (otherKind && root.birthNs !== 0n)) {
      return { state: 'online', renew: here !== undefined && here.id !== volume }
    }
  }
  if (!sameVolume) {
    return { state: 'offline', code: 'OTHER_DISK', message: 'another disk is mounted at its place, or its own is not' }
  }
  if (found.empty && hadEntries) {
    return {
      state: 'offline',
      code: 'EMPTY_PLACE',
      message: 'an empty folder that is not the one it was is at its place'
    }
  }
  return { state: 'online', renew: true }
}

/** Ids that are mere guesses hold the size too: a file system that grew is the same one. */
function looksAlike(a: VolumeId, b: VolumeId): boolean {
  return a.startsWith('weak:') && b.startsWith('weak:') && withoutSize(a) === withoutSize(b)
}

const kindOf = (id: string): string => id.slice(0, id.indexOf(':'))

function withoutSize(id: string): string {
  return id.slice(0, id.lastIndexOf(':'))
}

/** Where the location's disk is now, if it came back elsewhere and holds the very folder. */
export async function findMovedRoot(
  remembered: RootRemembered & { volumePath: RelPath | null; path: AbsPath },
  pathOf: (volume: VolumeId, within: RelPath) => Promise<AbsPath | undefined>,
  placementOf: (path: AbsPath) => Promise<Placement | undefined>
): Promise<{ path: AbsPath; found: RootFound & { there: true } } | undefined> {
  const { volume, volumePath, root, path } = remembered
  if (volume === null || volumePath === null || root === null || volume.startsWith('weak:')) return undefined
  const candidate = await pathOf(volume, volumePath)
  if (candidate === undefined || candidate === path) return undefined
  const found = await lookAtRoot(candidate, placementOf)
  if (!found.there || found.identity.inode !== root.inode || found.identity.birthNs !== root.birthNs) return undefined
  return { path: candidate, found }
}
