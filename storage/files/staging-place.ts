import { displayPath, errorCode, isUuid, joinRel, type RelPath, ROOT, SpacedriveError } from '../base/index.js'
import { openArea, openOrMake, openOwn } from './area.js'
import { type DirHandle, type Disk, findStat } from './disk.js'
import { AREA_NAME, parseStagingName, stagingName } from './ours.js'
import { diskError } from './problems.js'
import type { RootAccess } from './root.js'
import type { StagingHandle } from './staging-writer.js'
import { removeTree } from './tree.js'

/** Where staged content lies within a staging place; beside it the journal. */
export const TREE_NAME = 'tree'
/** Beneath the area: staging places by owner and id. */
const AREA_STAGING = `${AREA_NAME}/staging` as RelPath
export type StagingWhere = 'beside' | 'area'

/** See `FileRoot.openStaging`. One that exists is opened where it is. */
export function openStagingPlace(access: RootAccess, id: string, where: StagingWhere): StagingHandle {
  const { disk, root } = access
  if (!isUuid(id)) {
    throw new SpacedriveError('INVALID_ID', `could not open a staging place: expected a UUID, got ${displayPath(id)}`)
  }
  const name = stagingName(root.owner, id)
  const found = findStagingPlace(access, id)
  const parentRel = found ?? (where === 'area' ? AREA_STAGING : ROOT)
  let area: DirHandle | undefined
  try {
    area = parentRel === AREA_STAGING ? openArea(disk, root.dir, 'staging') : undefined
    const parent = area ?? root.dir
    if (found === undefined) {
      disk.makeDir(parent, name, 0o700)
      disk.sync(parent)
    }
    const dir = openOwn(disk, parent, name)
    const tree = openOrMake(disk, dir, TREE_NAME)
    // Before any journal: one that names what lies in the tree must not outlive the tree.
    disk.sync(dir)
    return {
      id,
      rel: joinRel(parentRel, name),
      dir,
      tree,
      device: root.device,
      syncEach: !root.capabilities.syncWhole
    }
  } catch (err) {
    throw diskError('open a staging place in', root.path, err)
  } finally {
    // Left open it would keep the disk from being unmounted.
    if (area !== undefined) disk.close(area)
  }
}

/** The directory in which this daemon's staging place `id` lies: the root, the area, or undefined. */
export function findStagingPlace({ disk, root, dirs }: RootAccess, id: string): RelPath | undefined {
  const name = stagingName(root.owner, id)
  if (findStat(disk, root.dir, name) !== undefined) return ROOT
  const area = ifThere(() => dirs.open(AREA_STAGING))
  return area !== undefined && findStat(disk, area, name) !== undefined ? AREA_STAGING : undefined
}

export interface FoundPlace {
  readonly rel: RelPath
  readonly owner: string
  readonly id: string
}

/** Every staging place at this root, of any daemon. */
export function listStagingPlaces({ disk, dirs }: RootAccess): FoundPlace[] {
  return [ROOT, AREA_STAGING].flatMap(parent => {
    const dir = ifThere(() => dirs.open(parent))
    if (dir === undefined) return []
    return disk.list(dir).flatMap(name => {
      const parsed = parseStagingName(name)
      return parsed === undefined ? [] : [{ rel: joinRel(parent, name), ...parsed }]
    })
  })
}

/** Removes a staging place and what is in it, by handle, never through a link. */
export function removeStagingPlace({ disk, dirs }: RootAccess, rel: RelPath): void {
  const at = rel.lastIndexOf('/')
  const parent = ifThere(() => dirs.open(rel.slice(0, Math.max(at, 0)) as RelPath))
  if (parent !== undefined) removeTree(disk, parent, rel.slice(at + 1))
}

export function closeStagingPlace(disk: Disk, { dir, tree }: StagingHandle): void {
  disk.close(tree)
  disk.close(dir)
}

/** Undefined where something on the way is missing or no directory. */
export function ifThere<T>(fn: () => T): T | undefined {
  try {
    return fn()
  } catch (err) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(errorCode(err))) return undefined
    throw err
  }
}
