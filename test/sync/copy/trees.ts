import {
  chmodSync,
  existsSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  utimesSync,
  writeFileSync
} from 'node:fs'
import { dirname, join } from 'node:path'

/** A tree as plain values: what a test asks for and what it finds. */
export type Tree = Record<string, Node>
export type Node =
  | { readonly kind: 'file'; readonly content: string; readonly mode: number; readonly timeS: number }
  | { readonly kind: 'link'; readonly target: string; readonly timeS: number }
  | { readonly kind: 'folder'; readonly mode: number; readonly timeS: number }

export const file = (content: string, mode = 0o644, timeS = 1_000_000): Node => ({ kind: 'file', content, mode, timeS })
export const link = (target: string, timeS = 1_000_000): Node => ({ kind: 'link', target, timeS })
export const folder = (mode = 0o755, timeS = 1_000_000): Node => ({ kind: 'folder', mode, timeS })

/** Makes it on the disk; folders that are not named are made as they come. */
export function makeTree(dir: string, tree: Tree): void {
  mkdirSync(dir, { recursive: true })
  const paths = Object.keys(tree).sort()
  for (const path of paths) {
    const node = tree[path]!
    const at = join(dir, path)
    mkdirSync(node.kind === 'folder' ? at : dirname(at), { recursive: true })
    if (node.kind === 'file') {
      writeFileSync(at, node.content)
      chmodSync(at, node.mode)
      utimesSync(at, node.timeS, node.timeS)
    } else if (node.kind === 'link') {
      symlinkSync(node.target, at)
      lutimesSync(at, node.timeS, node.timeS)
    }
  }
  for (const path of paths.reverse()) {
    const node = tree[path]!
    if (node.kind !== 'folder') continue
    chmodSync(join(dir, path), node.mode)
    utimesSync(join(dir, path), node.timeS, node.timeS)
  }
}

/** What is there, with every folder. Times in whole seconds. */
export function readTree(dir: string, prefix = ''): Tree {
  const tree: Tree = {}
  if (!existsSync(join(dir, prefix))) return tree
  for (const name of readdirSync(join(dir, prefix))) {
    const path = prefix === '' ? name : `${prefix}/${name}`
    const at = join(dir, path)
    const stat = lstatSync(at)
    const [mode, timeS] = [stat.mode & 0o7777, Math.floor(stat.mtimeMs / 1000)]
    if (stat.isDirectory()) {
      tree[path] = folder(mode, timeS)
      Object.assign(tree, readTree(dir, path))
    } else if (stat.isSymbolicLink()) tree[path] = link(readlinkSync(at), timeS)
    else tree[path] = file(readFileSync(at, 'latin1'), mode, timeS)
  }
  return tree
}

/** Names alone, for what only changes with them. */
export const namesOf = (dir: string): string[] => Object.keys(readTree(dir)).sort()
