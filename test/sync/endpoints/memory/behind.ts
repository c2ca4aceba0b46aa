import { comparePaths, type RelPath } from '../../../../storage/base/index.js'
import type { TreeBehind } from '../folder.js'
import { MemoryContent } from './content.js'
import { directoryAt, nodeAt, placeAt } from './disk.js'
import type { MemoryTree } from './tree.js'

/** A tree in memory as the suites change it and look at it: past its endpoint. */
export function treeBehind(tree: MemoryTree): TreeBehind {
  const rel = (path: string): RelPath => path as RelPath
  const there = (path: string) => nodeAt(tree.root, rel(path))!
  return {
    write(path, content, { mode, mtimeNs } = {}) {
      const node = tree.write(rel(path), content)
      if (mode !== undefined) tree.disk.setMode(node, mode)
      if (mtimeNs !== undefined) tree.disk.setTime(node, mtimeNs)
    },
    append(path, content) {
      const node = there(path)
      node.content.write(Buffer.from(content), node.content.sizeBytes)
      tree.disk.changed(node)
    },
    sparse(path, sizeBytes, data) {
      const content = new MemoryContent()
      content.truncate(sizeBytes)
      for (const [position, bytes] of data) content.write(bytes, position)
      tree.add(rel(path), tree.disk.make('file', { content }))
    },
    mkdir: path => tree.folder(rel(path)),
    symlink: (path, target) => void tree.make(rel(path), 'symlink', target),
    fifo: path => void tree.make(rel(path), 'other'),
    link: (path, to) => tree.disk.put(placeAt(tree.root, rel(to)), there(path)),
    rename: (path, to) => tree.rename(rel(path), rel(to)),
    remove: path => tree.remove(rel(path)),
    read: path => there(path).content.bytes().toString('utf8'),
    kind: path => tree.has(rel(path)),
    chmod: (path, mode) => tree.chmod(rel(path), mode),
    mode: path => there(path).mode,
    names: (path = '') =>
      [...directoryAt(tree.root, rel(path)).children.keys()]
        .filter(name => !name.startsWith('.spacedrive'))
        .sort(comparePaths),
    swapRoot: () => tree.swap()
  }
}
