import { errorCode, nameOf, type Problem, parentOf, type RelPath } from '../base/index.js'
import { syncPlaced, syncStaged } from './batch-durability.js'
import { giveName, movedAway } from './give-name.js'
import type { PlaceStep } from './place-steps.js'
import { diskError, isFatal, problemOf } from './problems.js'
import { ensureSameRoot, type RootAccess } from './root.js'
import { TREE_NAME } from './staging-place.js'
import type { StagingHandle } from './staging-writer.js'

/** Something staged and the path that it gets; nothing may stand there. */
export interface NewName {
  readonly staged: RelPath
  readonly path: RelPath
}

export interface NewNameProblem extends Problem {
  /** Which of the list. */
  readonly index: number
}

/**
 * Gives staged files and links their names where nothing stands: what `create` steps do, for thousands at a time. All of it is
 * durable before the first name is given; the names are once `durable` was asked for, or at the next sync of this disk.
 * Directories are looked at again once for each run of names in them instead of once a name: what was placed through a
 * handle whose directory somebody moved away meanwhile is taken back.
 * @throws {SpacedriveError} DISK_ERROR (nothing was placed), NO_SPACE, READ_ONLY, ROOT_MOVED
 */
export function placeNew(
  access: RootAccess,
  place: StagingHandle,
  list: readonly NewName[],
  { durable }: { durable: boolean }
): NewNameProblem[] {
  ensureSameRoot(access)
  const locate = ({ path }: { path: RelPath }): RelPath => `${place.rel}/${TREE_NAME}/${path}` as RelPath
  const steps: PlaceStep[] = list.map(({ staged, path }) => ({
    ...{ kind: 'create' as const, path, from: { staging: place.id, path: staged } }
  }))
  syncStaged(access, new Map([[place.id, place]]), steps, locate)
  const problems: NewNameProblem[] = []
  for (let from = 0; from < list.length; ) {
    const directory = parentOf(list[from]!.path)
    let to = from + 1
    while (to < list.length && parentOf(list[to]!.path) === directory) to++
    placeRun(access, place, list, [from, to], problems)
    from = to
  }
  if (durable) syncPlaced(access, steps, locate)
  return problems
}

function placeRun(
  access: RootAccess,
  place: StagingHandle,
  list: readonly NewName[],
  [from, to]: readonly [number, number],
  problems: NewNameProblem[]
): void {
  const { disk, root, dirs } = access
  const directory = parentOf(list[from]!.path)
  const placed: number[] = []
  const fail = (index: number, cause: unknown): void => {
    const { path } = list[index]!
    const err = diskError('place', path, cause)
    if (isFatal(err)) throw err
    problems.push({ index, ...problemOf(path, err) })
  }
  for (let i = from; i < to; i++) {
    const { staged, path } = list[i]!
    try {
      const stagedIn = dirs.open(`${place.rel}/${TREE_NAME}/${parentOf(staged)}` as RelPath)
      giveName(disk, root.capabilities, stagedIn, nameOf(staged), dirs.open(directory), nameOf(path))
      placed.push(i)
    } catch (err) {
      fail(i, err)
    }
  }
  if (placed.length === 0 || dirs.isStill(directory)) return
  for (const i of placed) {
    const { staged, path } = list[i]!
    const stagedIn = dirs.open(`${place.rel}/${TREE_NAME}/${parentOf(staged)}` as RelPath)
    try {
      giveName(disk, root.capabilities, dirs.open(directory), nameOf(path), stagedIn, nameOf(staged))
    } catch (err) {
      if (errorCode(err) !== 'ENOENT') throw diskError('take back', path, err)
    }
    fail(i, movedAway(path))
  }
  dirs.forget(directory)
}
