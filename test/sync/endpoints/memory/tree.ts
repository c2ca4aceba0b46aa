import { joinRel, nameOf, parentOf, type RelPath, ROOT } from '../../../../storage/base/index.js'
import { hashBytes } from '../../../../storage/content/index.js'
import type { EntryStat } from '../../../../storage/files/index.js'
import { MemoryContent } from './content.js'
import { MemoryDisk, type MemoryNode, type MemoryPlace } from './disk.js'

export interface MemoryState {
  readonly root: MemoryNode
  readonly free: readonly bigint[]
}

/** A place of the disk in which content lies ready. */
export interface MemoryStaging {
  readonly top: MemoryNode
  /** Who has it open. */
  holder: object | undefined
}

/** Where a name for a tree leads: nested, so that directories hold something. */
export const named = (...names: readonly string[]): RelPath =>
  names.reduce<RelPath>((at, name) => joinRel(at, name), ROOT)

/** A folder on a disk in memory, as a person changes it. Beside it lie what is staged, and what was thrown away. */
export class MemoryTree {
  readonly disk: MemoryDisk
  readonly staged = new Map<string, MemoryStaging>()
  readonly thrownAway: MemoryNode[] = []
  #root: MemoryNode

  constructor(disk = new MemoryDisk()) {
    this.disk = disk
    this.#root = disk.make('directory')
  }

  get root(): MemoryNode {
    return this.#root
  }

  /** Another folder stands in its place. */
  swap(): void {
    this.#root = this.disk.make('directory')
  }

  has(path: RelPath): EntryStat['kind'] | undefined {
    return this.#shown(path)?.kind
  }

  /** A file gets this content, or comes with it, and the directories that it needs. */
  write(path: RelPath, content: string | Uint8Array): MemoryNode {
    const known = this.#shown(path)
    const bytes = Buffer.from(content)
    if (known === undefined) return this.add(path, this.disk.make('file', { content: MemoryContent.of(bytes) }))
    known.content.truncate(0)
    known.content.write(bytes, 0)
    this.disk.changed(known)
    return known
  }

  make(path: RelPath, kind: 'directory' | 'symlink' | 'other', target = ''): MemoryNode {
    return this.add(path, this.disk.make(kind, { target }))
  }

  add(path: RelPath, node: MemoryNode): MemoryNode {
    this.folder(parentOf(path))
    this.disk.put(this.#placeOf(path), node)
    return node
  }

  /** Makes what is missing of it. */
  folder(path: RelPath): void {
    if (this.#shown(path) !== undefined) return
    this.folder(parentOf(path))
    this.disk.put(this.#placeOf(path), this.disk.make('directory'))
  }

  chmod(path: RelPath, mode: number): void {
    this.disk.setMode(this.#there(path), mode)
  }

  lock(path: RelPath, locked: boolean): void {
    const node = this.#there(path)
    node.locked = locked
    this.disk.setMode(node, locked ? 0 : 0o755)
  }

  isLocked(path: RelPath): boolean {
    return this.#there(path).locked
  }

  remove(path: RelPath): void {
    this.disk.drop(this.disk.take(this.#placeOf(path)))
  }

  /** Onto a name that nothing bears, or that of a file. */
  rename(path: RelPath, to: RelPath): void {
    const target = this.#placeOf(to)
    if (target.dir.children.has(target.name)) this.disk.drop(this.disk.take(target))
    this.disk.put(target, this.disk.take(this.#placeOf(path)))
  }

  /** A directory above it cannot be listed. */
  hides(path: RelPath): boolean {
    for (let at = path; at !== ROOT; ) {
      at = parentOf(at)
      if (this.#shown(at)?.locked === true) return true
    }
    return false
  }

  hashOf(path: RelPath): string {
    return hashBytes(this.#there(path).content.bytes())
  }

  /** The whole folder as it is. */
  save(): MemoryState {
    return { root: copyOf(this.#root), free: this.disk.inodes() }
  }

  putBack({ root, free }: MemoryState): void {
    this.#root = copyOf(root)
    this.disk.setInodes(free)
  }

  #there(path: RelPath): MemoryNode {
    const node = this.#shown(path)
    if (node === undefined) throw new Error(`nothing is at ${path}`)
    return node
  }

  /** For who is let in everywhere. */
  #shown(path: RelPath): MemoryNode | undefined {
    let at: MemoryNode | undefined = this.#root
    for (const name of path === ROOT ? [] : path.split('/')) at = at?.children.get(name)
    return at
  }

  #placeOf(path: RelPath): MemoryPlace {
    return { dir: this.#there(parentOf(path)), name: nameOf(path), path }
  }
}

/** Names that lead to one node lead to one in the copy. */
function copyOf(node: MemoryNode, made = new Map<MemoryNode, MemoryNode>()): MemoryNode {
  const known = made.get(node)
  if (known !== undefined) return known
  const copy: MemoryNode = { ...node, content: node.content.clone(), children: new Map() }
  made.set(node, copy)
  for (const [name, child] of node.children) copy.children.set(name, copyOf(child, made))
  return copy
}
