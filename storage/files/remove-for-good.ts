import { type AbsPath, displayPath, type Problem, type RelPath, ROOT, SpacedriveError } from '../base/index.js'
import { type Disk, findStat } from './disk.js'
import type { EntryStat, Expected } from './fingerprint.js'
import { diskError, isFatal, problemOf } from './problems.js'
import { removeStretch, STRETCH_MS } from './remove-stretch.js'
import { lastName, openParent } from './trash-bin.js'

/** Something to remove for good. */
export interface Doomed {
  /** A real path but for the last name, which is never followed. */
  readonly at: AbsPath
  /** What the caller saw there. Not so any more: CHANGED, and it stays. */
  readonly expected: Expected
}

/** How far a call came. */
export interface RemovedForGood {
  /** In order: those that were handled to their end. MISSING for what is not there. */
  readonly results: readonly RemovedItem[]
  /** What went of the next one, which needs more calls. */
  readonly part?: RemovedItem | undefined
  /** For the next call: where it stopped in that one. */
  readonly after?: RelPath | undefined
}

export interface RemovedItem {
  readonly files: number
  readonly bytes: number
  readonly problems: readonly Problem[]
}

/**
 * See `Files.remove`.
 * @param after - how far the first item is already
 * @param blamed - problems were told of it before
 */
export function removeForGood(
  disk: Disk,
  items: readonly Doomed[],
  { after, blamed = false }: { after?: RelPath | undefined; blamed?: boolean | undefined }
): RemovedForGood {
  const results: RemovedItem[] = []
  const until = performance.now() + STRETCH_MS
  for (const [i, item] of items.entries()) {
    if (i > 0 && performance.now() > until) break
    try {
      const stretch = removeOne(disk, item, i === 0 ? { after, blamed } : {})
      const { files, bytes, problems } = stretch
      if (!stretch.done) return { results, part: { files, bytes, problems }, after: stretch.at }
      results.push({ files, bytes, problems })
    } catch (cause) {
      const err = diskError('remove', item.at, cause)
      if (isFatal(err)) throw err
      results.push({ files: 0, bytes: 0, problems: [problemOf(item.at, err)] })
    }
  }
  return { results }
}

function removeOne(
  disk: Disk,
  { at, expected }: Doomed,
  how: { after?: RelPath | undefined; blamed?: boolean | undefined }
) {
  const parent = openParent(disk, at, 'remove')
  try {
    const there = findStat(disk, parent, lastName(at))
    if (there === undefined) throw Object.assign(new Error(), { code: 'ENOENT' })
    if (isAnother(expected, there)) {
      throw new SpacedriveError('CHANGED', `could not remove ${displayPath(at)}: it was changed meanwhile`)
    }
    return removeStretch(disk, parent, lastName(at), { after: how.after ?? ROOT, blamed: how.blamed ?? false })
  } finally {
    disk.close(parent)
  }
}

/** Nothing can be had back here, so that an inode number or a change time that is another one is enough to stay away. */
function isAnother(expected: Expected, at: EntryStat): boolean {
  if (at.kind !== expected.kind) return true
  if (expected.inode !== undefined && at.inode !== expected.inode) return true
  if (expected.kind === 'directory') return false
  if (expected.ctimeNs !== undefined && at.ctimeNs !== expected.ctimeNs) return true
  return at.sizeBytes !== expected.sizeBytes || at.mtimeNs !== expected.mtimeNs
}
