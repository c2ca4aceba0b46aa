import type { OverwriteMode } from '../../../sync/copy/index.js'
import type { Node, Tree } from './trees.js'

type Mode = Exclude<OverwriteMode, 'prompt'>

/**
 * What a copy of `from` onto `to` must leave: written to be read, with no thought of speed.
 * @param strict - contents are compared also where size and time agree
 */
export function copied(from: Tree, to: Tree, overwrite: Mode, strict: boolean): Tree {
  const result: Tree = { ...to }
  const blocked = (path: string): boolean =>
    path.split('/').some((_, i, names) => {
      const above = names.slice(0, i).join('/')
      return i > 0 && result[above] !== undefined && result[above].kind !== 'folder'
    })
  for (const path of Object.keys(from).sort()) {
    const source = from[path]!
    const there = result[path]
    if (blocked(path)) continue
    if (source.kind === 'folder') {
      if (there === undefined || there.kind === 'folder') result[path] = source
    } else if (there === undefined) result[path] = source
    else if (there.kind !== 'folder') result[path] = oneOver(source, there, overwrite, strict)
  }
  return result
}

function oneOver(source: Node, there: Node, overwrite: Mode, strict: boolean): Node {
  const replaces = overwrite === 'replace' || (overwrite === 'skip-newer' && there.timeS < source.timeS)
  if (source.kind === 'link' && there.kind === 'link' && source.target === there.target) return there
  if (source.kind === 'file' && there.kind === 'file') {
    const asLong = source.content.length === there.content.length
    const same = source.content === there.content || (!strict && asLong && source.timeS === there.timeS)
    // The same: mode and time follow where it replaces, also when what is there is newer.
    if (same) return overwrite === 'skip' ? there : { ...source, content: there.content }
  }
  return replaces ? source : there
}

/** After a move: the sources that are at the destination are gone, and the folders that are empty then. */
export function leftBehind(from: Tree, result: Tree): Tree {
  const left: Tree = {}
  for (const [path, node] of Object.entries(from)) {
    const at = result[path]
    const moved =
      (node.kind === 'file' && at?.kind === 'file' && node.content === at.content) ||
      (node.kind === 'link' && at?.kind === 'link' && node.target === at.target)
    if (node.kind !== 'folder' && !moved) left[path] = node
  }
  // What is deepest first: a folder stays for the folder in it.
  for (const path of Object.keys(from).sort().reverse()) {
    const node = from[path]!
    if (node.kind !== 'folder') continue
    const holds = Object.keys(left).some(p => p.startsWith(`${path}/`))
    if (holds || result[path]?.kind !== 'folder') left[path] = node
  }
  return left
}
