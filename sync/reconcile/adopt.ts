import { nameOf } from '../../storage/base/paths.js'
import { type End, isLeaf } from './entry.js'
import { MIN_PAIRED_BYTES } from './gather.js'
import { nameKey } from './names.js'
import type { Node } from './node.js'
import { type Case, wantedEntry } from './target.js'

/**
 * What would be removed and made anew at one end under another name is renamed instead: a file whose content is the only such
 * one among both, and names that the end cannot tell apart (`foo` deleted and `FOO` created there). This saves data and says
 * nothing about what the thing is: no edit follows it.
 */
export function adopt(c: Case, end: End): void {
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
    if (there !== undefined && nameOf(there.at[end]!.path) !== name) c.forest.adopt(node, there, end)
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
