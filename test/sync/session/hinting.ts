/** What a watcher would say of a folder between two moments: from two looks at all of it. */
import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { RelPath } from '../../../storage/base/index.js'
import type { Hint } from '../../../sync/session/index.js'

type Seen = ReadonlyMap<string, { readonly is: string; readonly id: string; readonly directory: boolean }>

export function seenIn(dir: string): Seen {
  const seen = new Map<string, { is: string; id: string; directory: boolean }>()
  const walk = (rel: string): void => {
    for (const name of readdirSync(join(dir, rel))) {
      if (name.startsWith('.spacedrive') && name !== '.spacedriveignore') continue
      const path = rel === '' ? name : `${rel}/${name}`
      const s = lstatSync(join(dir, path), { bigint: true })
      const directory = s.isDirectory()
      // A directory's own times say that names in it changed: those are told themselves.
      const times = directory ? '' : ` ${s.size} ${s.mtimeNs} ${s.ctimeNs}`
      seen.set(path, { is: `${s.mode}${times}`, id: `${s.ino}.${s.birthtimeNs}`, directory })
      if (directory) walk(path)
    }
  }
  walk('')
  return seen
}

/** A hint for each name that came, went or changed; a folder that came is hinted at whole, and nothing in it. */
export function hintsBetween(before: Seen, after: Seen): Hint[] {
  const hints: Hint[] = []
  const covered = new Set<string>()
  for (const [path, now] of after) {
    const then = before.get(path)
    const parent = path.slice(0, Math.max(0, path.lastIndexOf('/')))
    if (covered.has(parent)) {
      if (now.directory) covered.add(path)
      continue
    }
    if (then?.id === now.id && then.is === now.is) continue
    const came = now.directory && then?.id !== now.id
    hints.push({ path: path as RelPath, subtree: came })
    if (came) covered.add(path)
  }
  for (const path of before.keys()) if (!after.has(path)) hints.push({ path: path as RelPath, subtree: false })
  return hints
}
