import { lstatSync, readdirSync } from 'node:fs'
import {
  type AbsPath,
  fsPath,
  joinRel,
  parentOf,
  type RelPath,
  ROOT,
  resolveRel,
  textFromBytes
} from '../../../storage/base/index.js'
import type { WatchChange, WatchCoverage, WatchListener } from '../../../storage/watcher/index.js'

/** What a tree holds: path -> what a look says. */
export type Tree = Map<RelPath, string>

function look(path: string): string | undefined {
  const s = lstatSync(fsPath(path), { bigint: true, throwIfNoEntry: false })
  if (s === undefined) return undefined
  const kind = s.isDirectory() ? 'directory' : s.isSymbolicLink() ? 'symlink' : 'file'
  return `${kind} ${s.ino} ${s.mtimeNs} ${kind === 'file' ? s.size : ''}`
}

export function scan(root: AbsPath, rel: RelPath = ROOT, into: Tree = new Map()): Tree {
  const found = look(resolveRel(root, rel))
  if (found === undefined) return into
  into.set(rel, found)
  if (!found.startsWith('directory')) return into
  let names: Buffer[] = []
  try {
    names = readdirSync(fsPath(resolveRel(root, rel)), { encoding: 'buffer' })
  } catch {
    return into // gone again: another hint tells
  }
  for (const name of names) scan(root, joinRel(rel, textFromBytes(name)), into)
  return into
}

/** The least that an index does with hints: looks at each path, and at nothing else. */
export class Mirror implements WatchListener {
  readonly root: AbsPath
  tree: Tree = new Map()
  batches = 0
  lost = false
  covered: WatchCoverage | undefined
  #waiting: (() => void)[] = []

  constructor(root: AbsPath) {
    this.root = root
  }

  async changes(batch: readonly WatchChange[]): Promise<void> {
    this.batches++
    for (const { path, subtree } of batch) this.#apply(path, subtree)
    for (const wake of this.#waiting.splice(0)) wake()
  }

  coverage(coverage: WatchCoverage): void {
    this.covered = coverage
    for (const wake of this.#waiting.splice(0)) wake()
  }

  rootLost(): void {
    this.lost = true
    for (const wake of this.#waiting.splice(0)) wake()
  }

  /** Resolves when something holds; looks again after each batch. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>(resolve => this.#waiting.push(resolve))
  }

  #apply(path: RelPath, subtree: boolean): void {
    const before = this.tree.get(path)
    const now = look(resolveRel(this.root, path))
    if (path !== ROOT) this.#own(parentOf(path))
    const entered = now?.startsWith('directory') && (subtree || !before?.startsWith('directory'))
    if (now === undefined || entered || (before?.startsWith('directory') && !now.startsWith('directory')))
      this.#forget(path)
    if (now === undefined) return
    if (entered) scan(this.root, path, this.tree)
    else this.tree.set(path, now)
  }

  /** The folder around changed its own times with what it holds. */
  #own(path: RelPath): void {
    const now = look(resolveRel(this.root, path))
    if (now !== undefined) this.tree.set(path, now)
  }

  #forget(path: RelPath): void {
    for (const known of this.tree.keys()) {
      if (known === path || path === ROOT || known.startsWith(`${path}/`)) this.tree.delete(known)
    }
  }
}
