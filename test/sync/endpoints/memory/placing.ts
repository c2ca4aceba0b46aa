/** Names that are given and taken in a tree in memory, step by step: what one finds otherwise than expected changes nothing. */
import { displayPath, isWithin, type Problem, parentOf, type RelPath } from '../../../../storage/base/index.js'
import {
  type EntryStat,
  type Expected,
  MAX_BATCH_BYTES,
  MAX_PLACED_STEPS,
  type PlaceResult,
  type PlaceStep,
  type StagedSource
} from '../../../../storage/files/index.js'
import { failed, type MemoryNode, type MemoryPlace, nodeAt, placeAt, statOf } from './disk.js'
import { problemOf } from './looking.js'
import { madePlace } from './stage.js'
import type { MemoryTree } from './tree.js'

const MODE_BITS = 0o777

export type Placed = Extract<PlaceResult, { done: true }>

export function placed(tree: MemoryTree, steps: readonly PlaceStep[]): PlaceResult[] {
  ensureBounds(tree, steps)
  /** Paths that did not come to be, and why: what lies below them fails likewise. */
  const missing = new Map<RelPath, Problem>()
  const results = steps.map((step): PlaceResult => {
    const { path } = step
    const ways = step.kind === 'move' ? [step.path, step.to] : [step.path]
    const hindered = [...missing].find(([gone]) => ways.some(way => isWithin(parentOf(way), gone)))?.[1]
    if (hindered !== undefined) return { done: false, path, problem: { ...hindered, path: displayPath(path) } }
    try {
      return { done: true, path, ...placeOne(tree, step) }
    } catch (err) {
      const problem = problemOf(path, err)
      if (step.kind === 'make-directory' || step.kind === 'create') missing.set(path, problem)
      if (step.kind === 'move') missing.set(step.to, problem)
      return { done: false, path, problem }
    }
  })
  // Bottom-up, when nothing is put into them any more.
  for (const [i, step] of [...steps.entries()].reverse()) {
    if (step.kind !== 'make-directory' || !results[i]!.done) continue
    if (step.mode === undefined && step.mtimeNs === undefined) continue
    try {
      setAttributes(tree, step.path, step)
    } catch (err) {
      results[i] = { done: false, path: step.path, problem: problemOf(step.path, err) }
    }
  }
  return results.map((result, i) => (result.done ? withStat(tree, steps[i]!, result) : result))
}

function placeOne(tree: MemoryTree, step: PlaceStep): { aside?: EntryStat } {
  const { disk, root } = tree
  switch (step.kind) {
    case 'create': {
      const [from, to] = [stagedAt(tree, step.from), placeAt(root, step.path)]
      if (!from.dir.children.has(from.name)) throw failed('MISSING', step.path, 'it is not staged')
      rename(tree, from, to)
      return {}
    }
    case 'replace': {
      expectedFile(tree, step.path, step.expected)
      const [from, at] = [stagedAt(tree, step.from), placeAt(root, step.path)]
      if (!from.dir.children.has(from.name)) throw failed('MISSING', step.path, 'it is not staged')
      const old = disk.take(at)
      rename(tree, from, at)
      const aside = stagedAt(tree, step.aside)
      if (aside.dir.children.has(aside.name)) disk.drop(disk.take(aside))
      disk.put(aside, old)
      return { aside: statOf(old) }
    }
    case 'remove': {
      const old = expectedFile(tree, step.path, step.expected)
      rename(tree, placeAt(root, step.path), stagedAt(tree, step.aside))
      return { aside: statOf(old) }
    }
    case 'move': {
      const node = expectedAt(tree, step.path, step.expected)
      if (node.kind === 'directory' && isWithin(step.to, step.path))
        throw failed('NAME_REFUSED', step.path, 'it would lie within itself')
      rename(tree, placeAt(root, step.path), placeAt(root, step.to))
      return {}
    }
    case 'make-directory':
      disk.put(placeAt(root, step.path), disk.make('directory'))
      return {}
    case 'remove-directory': {
      const at = placeAt(root, step.path)
      const node = at.dir.children.get(at.name)
      if (node !== undefined && node.kind !== 'directory') throw failed('LINK_IN_PATH', step.path, 'it is no directory')
      if ((node?.children.size ?? 0) > 0) throw failed('NOT_EMPTY', step.path, 'the directory is not empty')
      disk.drop(disk.take(at))
      return {}
    }
    case 'attributes':
      expectedAt(tree, step.path, step.expected)
      setAttributes(tree, step.path, step)
      return {}
  }
}

/** Onto a name that nothing bears. @throws EXISTS */
function rename(tree: MemoryTree, from: MemoryPlace, to: MemoryPlace): void {
  if (to.dir.children.has(to.name)) throw failed('EXISTS', to.path, 'something stands there already')
  tree.disk.put(to, tree.disk.take(from))
}

/** Where something lies staged. @throws STAGING_GONE */
export function stagedAt(tree: MemoryTree, { staging, path }: StagedSource): MemoryPlace {
  const place = tree.staged.get(staging)
  if (place === undefined) throw failed('STAGING_GONE', path, `the staging place ${staging} is not open`)
  return madePlace(tree, place.top, path)
}

/** @throws CHANGED; MISSING, LINK_IN_PATH: its directory is not there */
export function expectedAt(tree: MemoryTree, path: RelPath, expected: Expected): MemoryNode {
  const { dir, name } = placeAt(tree.root, path)
  const node = dir.children.get(name)
  if (node === undefined || !isAs(expected, node)) throw failed('CHANGED', path, 'it is not what was expected there')
  return node
}

function expectedFile(tree: MemoryTree, path: RelPath, expected: Expected): MemoryNode {
  const node = expectedAt(tree, path, expected)
  if (node.kind === 'file' || node.kind === 'symlink') return node
  throw failed('NOT_A_FILE', path, 'it is neither a file nor a link')
}

/** A directory is the same as long as it is one; what changed in it shows in what it holds. */
export function isAs(expected: Expected, node: MemoryNode): boolean {
  const stat = statOf(node)
  const facts = ['inode', 'birthNs'] as const
  const more = ['sizeBytes', 'mtimeNs', 'ctimeNs'] as const
  const asked = node.kind === 'directory' ? facts : [...facts, ...more]
  return stat.kind === expected.kind && asked.every(f => expected[f] === undefined || expected[f] === stat[f])
}

function setAttributes(tree: MemoryTree, path: RelPath, { mode, mtimeNs }: { mode?: number; mtimeNs?: bigint }): void {
  const { dir, name } = placeAt(tree.root, path)
  const node = dir.children.get(name)
  if (node === undefined) throw failed('CHANGED', path, 'it is not what was expected there')
  if (mode !== undefined && node.kind !== 'symlink') tree.disk.setMode(node, mode & MODE_BITS)
  if (mtimeNs !== undefined) tree.disk.setTime(node, mtimeNs)
}

export function withStat(tree: MemoryTree, step: PlaceStep, result: Placed): Placed {
  if (step.kind === 'remove' || step.kind === 'remove-directory') return result
  const node = nodeAt(tree.root, step.kind === 'move' ? step.to : step.path)
  return node === undefined ? result : { ...result, stat: statOf(node) }
}

function ensureBounds(tree: MemoryTree, steps: readonly PlaceStep[]): void {
  if (steps.length > MAX_PLACED_STEPS) throw failed('BATCH_TOO_LARGE', '' as RelPath, 'too many steps')
  const sources = steps.flatMap(step => ('from' in step ? [step.from] : []))
  if (sources.length < 2) return
  let bytes = 0
  for (const source of sources) {
    const { dir, name } = stagedAt(tree, source)
    bytes += source.sizeBytes ?? dir.children.get(name)?.content.sizeBytes ?? 0
  }
  if (bytes > MAX_BATCH_BYTES) throw failed('BATCH_TOO_LARGE', '' as RelPath, 'too many bytes')
}
