/** What stands in a folder, and what its versions hold. */
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { ContentHash } from '../../storage/base/index.js'
import { hashBytes } from '../../storage/content/index.js'

/** One entry: equal text, equal entry. Times of folders are no part of it, they travel with changes alone. */
export interface Found {
  readonly text: string
  /** Of a file that is not empty. */
  readonly hash?: ContentHash
}

export type Tree = ReadonlyMap<string, Found>

/** Of files that were hashed before, by path: what of their stat must be the same. */
export type Known = Map<string, { readonly stat: string; readonly hash: ContentHash }>

const OURS = '.spacedrive'
const PERMISSIONS = 0o777n

/** @param known - what was read in this folder before; files that stand as they did are not read again */
export function lookAt(root: string, known: Known): Tree {
  const tree = new Map<string, Found>()
  const walk = (rel: string): void => {
    for (const name of readdirSync(join(root, rel))) {
      if (rel === '' && name === OURS) continue
      const path = rel === '' ? name : `${rel}/${name}`
      const stat = lstatSync(join(root, path), { bigint: true })
      const mode = (stat.mode & PERMISSIONS).toString(8)
      if (stat.isSymbolicLink()) tree.set(path, { text: `-> ${readlinkSync(join(root, path))}` })
      else if (stat.isDirectory()) {
        tree.set(path, { text: `folder ${mode}` })
        walk(path)
      } else {
        const now = `${stat.ino} ${stat.size} ${stat.mtimeNs} ${stat.ctimeNs}`
        const before = known.get(path)
        const hash = before?.stat === now ? before.hash : hashBytes(readFileSync(join(root, path)))
        known.set(path, { stat: now, hash })
        const text = `${hash} ${mode} @${stat.mtimeNs / 1000n}`
        tree.set(path, stat.size === 0n ? { text } : { text, hash })
      }
    }
  }
  walk('')
  return tree
}

/** What is not alike, a line each. */
export function differences(a: Tree, b: Tree): string[] {
  const lines: string[] = []
  for (const [path, { text }] of a) {
    const there = b.get(path)?.text ?? 'nothing'
    if (there !== text) lines.push(`${path}: ${text} | ${there}`)
  }
  for (const [path, { text }] of b) if (!a.has(path)) lines.push(`${path}: nothing | ${text}`)
  return lines
}

export interface Kept {
  readonly hashes: ReadonlySet<ContentHash>
  /** Files of the store that do not hold what their name says. */
  readonly wrong: readonly string[]
}

/** What a folder's version store holds, each content read. */
export function keptIn(root: string): Kept {
  const store = join(root, OURS, 'versions/content')
  const hashes = new Set<ContentHash>()
  const wrong: string[] = []
  for (const part of listed(store)) {
    for (const name of listed(join(store, part))) {
      const hash = hashBytes(readFileSync(join(store, part, name)))
      hashes.add(hash)
      if (!name.startsWith(hash)) wrong.push(join(store, part, name))
    }
  }
  return { hashes, wrong }
}

/** What is left of staging: folders and files of ours that no state of rest has. */
export function leftovers(root: string): string[] {
  const own = readdirSync(root, { recursive: true, encoding: 'utf8' })
  return own.filter(path => path.includes('.spacedrive-tmp-') || /^\.spacedrive\/staging\/.*\/new\/./.test(path))
}

function listed(dir: string): string[] {
  try {
    return readdirSync(dir)
  } catch {
    return []
  }
}
