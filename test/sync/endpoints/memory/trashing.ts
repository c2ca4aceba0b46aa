import { displayPath, type RelPath, ROOT } from '../../../../storage/base/index.js'
import type { TrashedItem, TrashOutcome } from '../../../../sync/endpoints/index.js'
import { failed, type MemoryNode, type MemoryPlace, placeAt, statOf } from './disk.js'
import { entryAt, type MemoryView, problemOf } from './looking.js'
import { isAs, stagedAt } from './placing.js'
import type { MemoryTree } from './tree.js'

/** Things go to what was thrown away, each with all in it, if they are what was expected when all of them were looked at. */
export function thrownAway(tree: MemoryTree, view: MemoryView, items: readonly TrashedItem[]): TrashOutcome[] {
  const looked = items.map(item => settled(() => ensureExpected(tree, view, item)))
  return items.map(({ path }, i): TrashOutcome => {
    const outcome = settled(() => {
      looked[i]!()
      const place = placeOfItem(tree, items[i]!)
      const node = place.dir.children.get(place.name)
      if (node === undefined) throw failed('MISSING', path, 'it is not there')
      tree.thrownAway.push(tree.disk.take(place))
      return countOf(node)
    })
    try {
      return { done: true, path, ...outcome() }
    } catch (err) {
      return { done: false, path, problem: problemOf(path, err) }
    }
  })
}

function ensureExpected(tree: MemoryTree, view: MemoryView, item: TrashedItem): void {
  const { path, expected, from } = item
  if (from === undefined) ensureKnown(view, path)
  const { dir, name } = placeOfItem(tree, item)
  const node = dir.children.get(name)
  if (node === undefined) throw failed('MISSING', path, 'it is not there')
  if (!isAs(expected, node)) throw failed('CHANGED', path, 'it was changed meanwhile')
}

const placeOfItem = (tree: MemoryTree, { path, from }: TrashedItem): MemoryPlace =>
  from === undefined ? placeAt(tree.root, path) : stagedAt(tree, from)

/** Done now; what came of it is told when it is asked for. */
function settled<T>(act: () => T): () => T {
  try {
    const value = act()
    return () => value
  } catch (err) {
    return () => {
      throw err
    }
  }
}

function ensureKnown(view: MemoryView, path: RelPath): void {
  const entry = entryAt(view, path)
  if (path === ROOT) throw failed('NOT_ALLOWED', path, 'it is the root itself')
  if (entry === undefined) throw failed('MISSING', path, 'it is not there')
  if (entry.unknown !== undefined) throw failed('UNKNOWN_ENTRY', path, `${displayPath(path)} is ${entry.unknown}`)
}

function countOf(node: MemoryNode): { files: number; bytes: number } {
  if (node.kind !== 'directory') return { files: 1, bytes: statOf(node).sizeBytes }
  const counts = [...node.children.values()].map(countOf)
  const sum = (of: 'files' | 'bytes'): number => counts.reduce((all, count) => all + count[of], 0)
  return { files: sum('files'), bytes: sum('bytes') }
}
