import type { AbsPath, RelPath } from '../../storage/base/index.js'
import type { FileRoot, SourceHandle, Staging } from '../../storage/files/index.js'
import { finishing } from './finish.worker.js'
import { type PlacerInit, throwAway } from './placer.js'

/**
 * One file that is about to be replaced. Old and new exchange their names in one step, the old is moved aside in the next: cut in
 * between, the old lies where the new was staged. Written down before the first step, for whoever goes on.
 */
export interface Replacing {
  /** Which of the trees. */
  readonly tree: number
  readonly source: RelPath
  /** The name at the destination. */
  readonly path: RelPath
  readonly staged: RelPath
}

export type KeepInit = Pick<PlacerInit, 'components' | 'job' | 'input' | 'signal' | 'problem'> & {
  readonly root: FileRoot
  readonly staging: Staging
}

/**
 * What lies staged and is not the content of its source goes to the trash under the name that it was to get: it may be the old.
 * @param source - the folder of the tree that all of the list is of
 * @returns false when some of it could not: it stays, and was told
 */
export async function keepReplaced(init: KeepInit, source: SourceHandle, list: readonly Replacing[]): Promise<boolean> {
  const { components, staging, signal } = init
  if (list.length === 0) return true
  const place = await components.files.openSource(staging.contentPath as AbsPath, { signal })
  try {
    const found = await components.pool.run(finishing.doubtful, { source, place: place.handle, list }, { signal })
    const old = found.map(({ i, stat }) => ({ path: list[i]!.path, at: list[i]!.staged, expected: stat }))
    return await throwAway(init, old)
  } finally {
    await place.close()
  }
}
