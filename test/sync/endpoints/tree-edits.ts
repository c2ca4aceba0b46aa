/** What a person does to a folder, at random, wherever it lies; what cannot be done is not done. */
import fc from 'fast-check'
import type { TreeBehind } from './folder.js'

const NAMES = ['a', 'b', 'c', 'd.txt']
const path = fc.array(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 3 }).map(parts => parts.join('/'))

export const treeEdit = fc.record({
  end: fc.constantFrom('source' as const, 'destination' as const),
  kind: fc.constantFrom('write', 'write', 'save', 'delete', 'move', 'move', 'swap', 'folder', 'link', 'mode'),
  path,
  to: path,
  text: fc.integer({ min: 1, max: 99 }).map(n => `text ${n}`)
})
export type TreeEdit = typeof treeEdit extends fc.Arbitrary<infer T> ? T : never

/** Something may come to stand there: its directory is there, and nothing of that name. */
export function isFree(tree: TreeBehind, path: string): boolean {
  const slash = path.lastIndexOf('/')
  return tree.kind(path) === undefined && (slash < 0 || tree.kind(path.slice(0, slash)) === 'directory')
}

export function editTree(tree: TreeBehind, { kind, path: at, to, text }: TreeEdit): void {
  const there = tree.kind(at)
  const apart = !`${to}/`.startsWith(`${at}/`) && !`${at}/`.startsWith(`${to}/`)
  if (kind === 'write' && (there === 'file' || isFree(tree, at))) tree.write(at, text)
  else if (kind === 'save' && (there === 'file' || isFree(tree, at)) && isFree(tree, `${at}.new`)) {
    tree.write(`${at}.new`, text)
    tree.rename(`${at}.new`, at)
  } else if (kind === 'delete' && there !== undefined) tree.remove(at)
  else if (kind === 'move' && there !== undefined && apart && isFree(tree, to)) tree.rename(at, to)
  else if (kind === 'swap' && there !== undefined && apart && tree.kind(to) !== undefined) {
    tree.rename(at, `${at}.aside`)
    tree.rename(to, at)
    tree.rename(`${at}.aside`, to)
  } else if (kind === 'folder' && isFree(tree, at)) tree.mkdir(at)
  else if (kind === 'link' && isFree(tree, at)) tree.symlink(at, text.trim())
  else if (kind === 'mode' && (there === 'file' || there === 'directory'))
    tree.chmod(at, there === 'file' ? 0o640 : 0o750)
}
