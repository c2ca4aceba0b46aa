import type { RelPath } from '../../storage/base/index.js'
import { nameOf, parentOf } from '../../storage/base/paths.js'
import { type End, isLeaf, sameContent } from './entry.js'
import { MIN_PAIRED_BYTES } from './gather.js'
import { nameKey } from './names.js'
import type { Node } from './node.js'
import { type Case, wantedEntry } from './target.js'

/**
 * What would be removed and made anew at one end under another name is renamed instead: a file whose content is the only such
 * one among both, and names that the end cannot tell apart (`foo` deleted and `FOO` created there). What would be removed and made
 * anew under its own name stays. This saves data and says nothing about what the thing is: no edit follows it.
 */
export function adopt(c: Case, end: End): void {
  adoptDirectories(c, end)
  const goes = c.forest.nodes.filter(
    n => n.at[end] !== undefined && n.want[end] === undefined && isLeaf(n.at[end]!.entry as never)
  )
  const comes = c.forest.nodes.filter(
    n => n.at[end] === undefined && n.want[end] !== undefined && isLeaf(wantedEntry(c, n, end))
  )
  if (goes.length === 0 || comes.length === 0) return
  const key = nameKey(c.options[end])
  const byName = new Map(goes.map(n => [`${c.forest.holderAt(n, end).number}/${key(nameOf(n.at[end]!.path))}`, n]))
  for (const node of comes) {
    const { parent, name } = node.want[end]!
    const there = byName.get(`${parent.number}/${key(name)}`)
    if (there === undefined) continue
    const same = nameOf(there.at[end]!.path) === name
    if (!same || sameContent(there.present(end)!, wantedEntry(c, node, end)!)) c.forest.adopt(node, there, end)
  }
  const byContent = new Map<string, { goes: Node[]; comes: Node[] }>()
  const note = (node: Node, entry: unknown, which: 'goes' | 'comes'): void => {
    const content = entry as { kind?: string; hash?: string; sizeBytes?: number } | undefined
    if (content?.kind !== 'file' || content.sizeBytes! < MIN_PAIRED_BYTES) return
    const pair = byContent.get(content.hash!) ?? { goes: [], comes: [] }
    byContent.set(content.hash!, pair)
    pair[which].push(node)
  }
  for (const node of goes) note(node, node.at[end]?.entry, 'goes')
  for (const node of comes) if (node.at[end] === undefined) note(node, wantedEntry(c, node, end), 'comes')
  for (const pair of byContent.values()) {
    if (pair.goes.length === 1 && pair.comes.length === 1) c.forest.adopt(pair.comes[0]!, pair.goes[0]!, end)
  }
}

/**
 * A new directory that nobody wants, under a name at which another is to be made: it is that one from now on, and what it holds
 * lies in that one.
 */
function adoptDirectories(c: Case, end: End): void {
  const key = nameKey(c.options[end])
  const slotIn = (directory: RelPath, name: string): string => `${directory}/${key(name)}`
  const goes = new Map<string, Node>()
  for (const node of c.forest.nodes) {
    const place = node.at[end]
    if (place === undefined || node.want[end] !== undefined || node.one !== node) continue
    if (
      node === c.forest.root ||
      node.base !== undefined ||
      node.formerBase !== undefined ||
      place.entry?.kind !== 'directory'
    )
      continue
    goes.set(slotIn(parentOf(place.path), nameOf(place.path)), node)
  }
  if (goes.size === 0) return
  for (const node of c.forest.nodes) {
    const want = node.want[end]
    if (want === undefined || node.at[end] !== undefined || !node.isDirectory) continue
    const holder = want.parent.at[end]
    if (holder === undefined) continue
    const slot = slotIn(holder.path, want.name)
    const there = goes.get(slot)
    if (there === undefined) continue
    goes.delete(slot)
    c.forest.adopt(node, there, end)
  }
}
