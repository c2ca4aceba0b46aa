/** A tree in memory as an endpoint that is looked at and read: what the real ones are compared with. Its clock and inodes are its own. */
import { comparePaths, joinRel, parentOf, type RelPath, ROOT, SpacedriveError } from '../../../storage/base/index.js'
import { hashBytes } from '../../../storage/content/index.js'
import type { EntryStat } from '../../../storage/files/index.js'
import type { Endpoint, HashedFile, Looked, TreeEntry, TreePage, WalkOptions } from '../../../sync/endpoints/index.js'

type Kind = EntryStat['kind']

interface Node {
  readonly kind: Kind
  readonly inode: bigint
  readonly birthNs: bigint
  text: string
  mode: number
  mtimeNs: bigint
  ctimeNs: bigint
  /** Of a directory: it cannot be listed. */
  locked: boolean
}

export interface MemoryState {
  readonly nodes: ReadonlyMap<RelPath, Readonly<Node>>
  readonly free: readonly bigint[]
}

export class MemoryEnd {
  #nodes = new Map<RelPath, Node>()
  /** Inodes of what is gone are given to what comes next, as file systems do. */
  #free: bigint[] = []
  #clockNs = 1n
  #inode = 10n

  constructor() {
    this.#add(ROOT, 'directory', '')
  }

  has(path: RelPath): Kind | undefined {
    return this.#nodes.get(path)?.kind
  }

  paths(): RelPath[] {
    return [...this.#nodes.keys()].filter(p => p !== ROOT).sort(comparePaths)
  }

  /** A file gets this content, or comes with it. */
  write(path: RelPath, text: string): void {
    const known = this.#nodes.get(path)
    if (known === undefined) {
      this.#came(path, 'file', text)
      return
    }
    known.text = text
    known.mtimeNs = known.ctimeNs = this.#tick()
  }

  make(path: RelPath, kind: 'directory' | 'symlink' | 'other', text = ''): void {
    this.#came(path, kind, text)
  }

  chmod(path: RelPath, mode: number): void {
    const node = this.#nodes.get(path)!
    node.mode = mode
    node.ctimeNs = this.#tick()
  }

  lock(path: RelPath, locked: boolean): void {
    this.#nodes.get(path)!.locked = locked
    this.chmod(path, locked ? 0 : 0o755)
  }

  remove(path: RelPath): void {
    for (const p of this.#below(path)) {
      this.#free.push(this.#nodes.get(p)!.inode)
      this.#nodes.delete(p)
    }
    this.#touch(parentOf(path))
  }

  /** Onto a name that nothing bears. */
  rename(path: RelPath, to: RelPath): void {
    const moved = this.#below(path).map(p => [p, this.#nodes.get(p)!] as const)
    for (const [p] of moved) this.#nodes.delete(p)
    for (const [p, node] of moved) this.#nodes.set((to + p.slice(path.length)) as RelPath, node)
    this.#nodes.get(to)!.ctimeNs = this.#tick()
    this.#touch(parentOf(path))
    this.#touch(parentOf(to))
  }

  /** The whole disk as it is. */
  save(): MemoryState {
    return { nodes: new Map([...this.#nodes].map(([p, node]) => [p, { ...node }])), free: [...this.#free] }
  }

  putBack({ nodes, free }: MemoryState): void {
    this.#nodes = new Map([...nodes].map(([p, node]) => [p, { ...node }]))
    this.#free = [...free]
  }

  look(path: RelPath): TreeEntry | undefined {
    const node = this.#nodes.get(path)
    if (node === undefined) return undefined
    const { kind, inode, birthNs, mode, mtimeNs, ctimeNs, text } = node
    const sizeBytes = kind === 'file' ? text.length : 0
    const stat = { kind, sizeBytes, mtimeNs, ctimeNs, birthNs, inode, mode, device: 1n, mount: 1n, links: 1, uid: 0 }
    if (kind === 'symlink') return { path, stat, target: text }
    return kind === 'other' ? { path, stat, unknown: 'special' } : { path, stat }
  }

  /** What a walk of all of it shows. */
  listing(path: RelPath = ROOT): TreeEntry[] {
    const found: TreeEntry[] = []
    const go = (at: RelPath): void => {
      const entry = this.look(at)!
      const locked = this.#nodes.get(at)!.locked
      const problem = { path: at, code: 'NO_PERMISSION', message: 'it is locked' }
      found.push(locked ? { ...entry, unknown: 'unreadable', problem } : entry)
      if (!locked) for (const child of this.#children(at)) go(child)
    }
    go(path)
    return found
  }

  hashOf(path: RelPath): string {
    return hashBytes(Buffer.from(this.#nodes.get(path)!.text))
  }

  /** As who looks at it and reads it sees it. What is not asked for here is not there. */
  endpoint(): Endpoint {
    const end = this
    const walk = async function* (path: RelPath, { signal }: WalkOptions = {}): AsyncGenerator<TreePage> {
      signal?.throwIfAborted()
      if (end.hides(path) || !end.#nodes.has(path)) throw new SpacedriveError('MISSING', 'it is not there')
      const entries = end.listing(path)
      for (let i = 0; i < entries.length; i += 3) yield { entries: entries.slice(i, i + 3) }
    }
    const hash = async function* (paths: readonly RelPath[]): AsyncGenerator<HashedFile> {
      for (const path of paths) {
        const entry = end.hides(path) ? undefined : end.look(path)
        if (entry?.stat.kind === 'file')
          yield { path, hash: hashBytes(Buffer.from(end.#nodes.get(path)!.text)), stat: entry.stat, racy: false }
        else yield { path, problem: { path, code: 'MISSING', message: 'it is not there' } }
      }
    }
    const look = async (paths: readonly RelPath[]): Promise<Looked[]> =>
      paths.map(path => {
        if (end.hides(path)) return { path, problem: { path, code: 'NO_PERMISSION', message: 'it is locked' } }
        const entry = end.look(path)
        return entry === undefined ? { path } : { path, entry }
      })
    return { kind: 'memory', shown: 'memory', walk, hash, look, async close() {} } as never
  }

  /** A directory above it cannot be listed. */
  hides(path: RelPath): boolean {
    for (let at = path; at !== ROOT; ) {
      at = parentOf(at)
      if (this.#nodes.get(at)?.locked === true) return true
    }
    return false
  }

  #children(path: RelPath): RelPath[] {
    return [...this.#nodes.keys()].filter(p => p !== ROOT && parentOf(p) === path).sort(comparePaths)
  }

  #below(path: RelPath): RelPath[] {
    return [...this.#nodes.keys()].filter(p => p === path || p.startsWith(`${path}/`))
  }

  #came(path: RelPath, kind: Kind, text: string): void {
    this.#add(path, kind, text)
    this.#touch(parentOf(path))
  }

  #add(path: RelPath, kind: Kind, text: string): void {
    const now = this.#tick()
    const inode = this.#free.pop() ?? this.#inode++
    const mode = kind === 'directory' ? 0o755 : 0o644
    this.#nodes.set(path, { kind, text, inode, mode, birthNs: now, mtimeNs: now, ctimeNs: now, locked: false })
  }

  #touch(path: RelPath): void {
    const node = this.#nodes.get(path)!
    node.mtimeNs = node.ctimeNs = this.#tick()
  }

  #tick(): bigint {
    return ++this.#clockNs
  }
}

/** A name for a tree: nested, so that directories hold something. */
export const named = (...names: readonly string[]): RelPath =>
  names.reduce<RelPath>((at, name) => joinRel(at, name), ROOT)
