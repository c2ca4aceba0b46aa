/** Steps that happen all or not at all: every name is given up, the deepest first, and then the new ones are taken. */
import type { RelPath } from '../../../../storage/base/index.js'
import type { EntryStat, PlaceResult, PlaceStep } from '../../../../storage/files/index.js'
import { failed, type MemoryNode, nodeAt, placeAt, statOf } from './disk.js'
import { problemOf } from './looking.js'
import { expectedAt, stagedAt, withStat } from './placing.js'
import type { MemoryTree } from './tree.js'

const NOT_IN_A_GROUP = 'attributes are no names'

export function placedTogether(tree: MemoryTree, steps: readonly PlaceStep[]): PlaceResult[] {
  if (steps.some(step => step.kind === 'attributes')) throw failed('NOT_IN_A_GROUP', '' as RelPath, NOT_IN_A_GROUP)
  const putBack = remembered(tree)
  try {
    const asides = swap(tree, steps)
    return steps.map(step => {
      const aside = asides.get(step)
      return withStat(tree, step, { done: true, path: step.path, ...(aside && { aside }) })
    })
  } catch (err) {
    putBack()
    return steps.map(({ path }) => ({ done: false, path, problem: problemOf(path, err) }))
  }
}

interface Coming {
  readonly to: RelPath
  readonly node: MemoryNode
}

function swap(tree: MemoryTree, steps: readonly PlaceStep[]): Map<PlaceStep, EntryStat> {
  const { disk, root } = tree
  // First of all everything is as expected.
  for (const step of steps) {
    if ('expected' in step) expectedAt(tree, step.path, step.expected)
    if (step.kind === 'remove-directory') expectedAt(tree, step.path, { kind: 'directory' })
    if ('from' in step && !isStaged(tree, step)) throw failed('CHANGED', step.path, 'it is not staged')
  }
  const asides = new Map<PlaceStep, EntryStat>()
  const coming: Coming[] = []
  const emptied: MemoryNode[] = []
  const deepestFirst = [...steps].sort((a, b) => depth(b.path) - depth(a.path))
  for (const step of deepestFirst) {
    if (step.kind === 'create' || step.kind === 'make-directory' || step.kind === 'attributes') continue
    const node = disk.take(placeAt(root, step.path))
    if (step.kind === 'move') coming.push({ to: step.to, node })
    else if (step.kind === 'remove-directory') emptied.push(node)
    else {
      disk.put(stagedAt(tree, step.aside), node)
      asides.set(step, statOf(node))
    }
  }
  for (const step of steps) {
    if (step.kind === 'create' || step.kind === 'replace')
      coming.push({ to: step.path, node: disk.take(stagedAt(tree, step.from)) })
    if (step.kind === 'make-directory')
      coming.push({ to: step.path, node: disk.make('directory', { mode: (step.mode ?? 0o755) & 0o777 }) })
  }
  for (const { to, node } of coming.sort((a, b) => depth(a.to) - depth(b.to))) disk.put(placeAt(root, to), node)
  if (emptied.some(node => node.children.size > 0))
    throw failed('NOT_EMPTY', steps[0]!.path, 'a directory that was to go is not empty')
  return asides
}

function isStaged(tree: MemoryTree, { from }: Extract<PlaceStep, { kind: 'create' | 'replace' }>): boolean {
  const place = tree.staged.get(from.staging)
  return place !== undefined && nodeAt(place.top, from.path) !== undefined
}

const depth = (path: RelPath): number => path.split('/').length

/** All names as they are, to be put back. */
function remembered(tree: MemoryTree): () => void {
  const names = new Map<MemoryNode, ReadonlyMap<string, MemoryNode>>()
  const links = new Map<MemoryNode, number>()
  const note = (node: MemoryNode): void => {
    links.set(node, node.links)
    if (names.has(node)) return
    names.set(node, new Map(node.children))
    for (const child of node.children.values()) note(child)
  }
  note(tree.root)
  for (const { top } of tree.staged.values()) note(top)
  return () => {
    for (const [node, children] of names) {
      node.children.clear()
      for (const [name, child] of children) node.children.set(name, child)
    }
    for (const [node, n] of links) node.links = n
  }
}
