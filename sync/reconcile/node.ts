import type { RelPath } from '../../storage/base/index.js'
import { joinRel, nameOf, parentOf } from '../../storage/base/paths.js'
import type { ArchiveEntry, End, GoneEntry, Present, UnknownEntry } from './entry.js'
import type { ProblemCode } from './operation.js'

/** Where an end has a thing now. The entry is missing for directories that are alike everywhere and were not listed. */
export interface Place {
  readonly path: RelPath
  readonly entry?: Present | UnknownEntry | undefined
}

/** Where an end shall have it, and whose content. */
export interface Want {
  readonly parent: Node
  readonly name: string
  /** The end whose entry is right. */
  readonly as: End
}

export interface Held {
  readonly why: 'conflict' | 'problem' | 'waiting' | 'unknown'
  readonly code?: ProblemCode
  readonly end?: End
  readonly message?: string
}

/**
 * One thing through all three trees, whatever its names there: the archive's entry and what each end made of it. A directory
 * that moved is one node with two places, and what lies in it has not moved at all.
 */
export class Node {
  readonly number: number
  base: { readonly path: RelPath; readonly entry: ArchiveEntry | undefined } | undefined
  /** It was agreed on here, and is no longer the same thing: two nodes came of it. */
  formerBase: RelPath | undefined
  /** The second of these two. */
  twin: Node | undefined
  readonly at: Record<End, Place | undefined> = { source: undefined, destination: undefined }
  /** The deletion that an end remembers. What took the name is another thing, with another history. */
  readonly gone: Record<End, GoneEntry | undefined> = { source: undefined, destination: undefined }
  readonly want: Record<End, Want | undefined> = { source: undefined, destination: undefined }
  /** Its place was not looked at there. */
  readonly hidden: Record<End, boolean> = { source: false, destination: false }
  held: Held | undefined
  /** Each end keeps its own. */
  apart = false
  /** It loses its name and content to another. */
  dropped = false
  /** Of two edits this one was kept under this name. */
  copyName: string | undefined
  /** Where both edits of one thing belong. */
  claim: { readonly parent: Node; readonly name: string } | undefined
  /** Something that was not kept in memory shall be in it there. */
  readonly needed: Record<End, boolean> = { source: false, destination: false }
  /** It is made for what stays at the place of that directory, which moved away. */
  standsFor: Node | undefined
  /** Nothing was said of it: a directory that is the same in all trees. */
  unlisted = false
  #joined: Node | undefined

  constructor(number: number) {
    this.number = number
  }

  /** What it was found to be the same as. */
  get one(): Node {
    let node: Node = this
    while (node.#joined !== undefined) node = node.#joined
    return node
  }

  join(other: Node): void {
    this.#joined = other
  }

  get isDirectory(): boolean {
    const entry = this.at.source?.entry ?? this.at.destination?.entry
    if (entry !== undefined) return entry.kind === 'directory' || (entry.kind === 'unknown' && entry.directory === true)
    return this.base?.entry === undefined || this.base.entry.kind === 'directory'
  }

  /** Its entry at an end, when that is known. */
  present(end: End): Present | undefined {
    const entry = this.at[end]?.entry
    return entry === undefined || entry.kind === 'unknown' ? undefined : entry
  }

  /** The path that speaks for it in messages. */
  get path(): RelPath {
    return this.at.source?.path ?? this.at.destination?.path ?? this.base?.path ?? ('' as RelPath)
  }
}

/** All nodes, by their paths in the three trees. Directories that nothing was said of are made when they are asked for. */
export class Forest {
  readonly nodes: Node[] = []
  readonly root: Node
  readonly #byBase = new Map<RelPath, Node>()
  readonly #at: Record<End, Map<RelPath, Node>> = { source: new Map(), destination: new Map() }

  constructor() {
    this.root = this.newNode()
    this.setBase(this.root, '' as RelPath, undefined)
    this.setPlace(this.root, 'source', { path: '' as RelPath })
    this.setPlace(this.root, 'destination', { path: '' as RelPath })
  }

  newNode(): Node {
    const node = new Node(this.nodes.length)
    this.nodes.push(node)
    return node
  }

  setBase(node: Node, path: RelPath, entry: ArchiveEntry | undefined): void {
    node.base = { path, entry }
    this.#byBase.set(path, node)
  }

  setPlace(node: Node, end: End, place: Place): void {
    node.at[end] = place
    this.#at[end].set(place.path, node)
  }

  findBase(path: RelPath): Node | undefined {
    return this.#byBase.get(path)
  }

  /** The node listed at a path of an end, before joining. */
  findAt(end: End, path: RelPath): Node | undefined {
    return this.#at[end].get(path)
  }

  /** The directory that the archive had at a path. */
  baseDirectory(path: RelPath): Node {
    const known = this.#byBase.get(path)
    if (known !== undefined) return known
    return this.#unlisted(this.baseDirectory(parentOf(path)), nameOf(path))
  }

  /** The directory that an end has at a path. */
  directoryAt(end: End, path: RelPath): Node {
    const known = this.#at[end].get(path)
    if (known !== undefined) return known.one
    const node = this.#unlisted(this.directoryAt(end, parentOf(path)), nameOf(path))
    if (node.at[end] === undefined) this.setPlace(node, end, { path })
    return node.one
  }

  /** A directory that is in all three trees alike, below one that may have moved. */
  #unlisted(parent: Node, name: string): Node {
    const path = parent.base === undefined ? undefined : joinRel(parent.base.path, name)
    const known = path === undefined ? undefined : this.#byBase.get(path)
    if (known !== undefined) return known
    const node = this.newNode()
    node.unlisted = true
    if (path !== undefined) this.setBase(node, path, undefined)
    this.#inherit(node, parent, name)
    return node
  }

  #inherit(node: Node, parent: Node, name: string): void {
    for (const end of ['source', 'destination'] as const) {
      const place = parent.at[end]
      if (place === undefined || node.at[end] !== undefined) continue
      const at = joinRel(place.path, name)
      if (!this.#at[end].has(at)) this.setPlace(node, end, { path: at })
    }
  }

  /** Once both ends are told: what was not listed is, at each end, where its directory is. */
  placeUnlisted(): void {
    const done = new Set<Node>()
    const place = (node: Node): void => {
      if (!node.unlisted || node.base === undefined || done.has(node)) return
      done.add(node)
      const parent = this.baseDirectory(parentOf(node.base.path))
      place(parent)
      this.#inherit(node, parent, nameOf(node.base.path))
    }
    for (const node of [...this.nodes]) place(node)
  }

  /** The directory that holds it at an end now. */
  parentAt(node: Node, end: End): Node {
    return this.directoryAt(end, parentOf(node.at[end]!.path))
  }

  /** The very directory on the disk that holds it: two that became one may still be two there. */
  holderAt(node: Node, end: End): Node {
    const path = parentOf(node.at[end]!.path)
    this.directoryAt(end, path)
    return this.#at[end].get(path)!
  }

  /** The directory that held it when both agreed. */
  baseParent(node: Node): Node {
    return this.baseDirectory(parentOf(node.base!.path)).one
  }

  /**
   * Two things are one from now on. Where both have a place at an end, `better` says whether the second's is kept; the other
   * stays on the disk as something to be cleared away.
   */
  join(node: Node, other: Node, better: (end: End) => boolean): void {
    for (const end of ['source', 'destination'] as const) {
      const [mine, theirs] = [node.at[end], other.at[end]]
      if (theirs === undefined || (mine !== undefined && !better(end))) continue
      this.setPlace(node, end, theirs)
      other.at[end] = undefined
      if (mine !== undefined) this.setPlace(other, end, mine)
    }
    if (node.base === undefined && other.base !== undefined) {
      this.setBase(node, other.base.path, other.base.entry)
      other.base = undefined
    } else if (other.base !== undefined) other.formerBase = other.base.path
    other.join(node)
  }

  /** Leaves a directory on the disk behind for what must stay in it; the node goes on as a new one there. */
  leaveBehind(node: Node, end: End): void {
    const behind = this.newNode()
    this.setPlace(behind, end, node.at[end]!)
    node.at[end] = undefined
    behind.join(node)
  }

  /** One thing takes over what another has on the disk: its content is already there, or its name is the same there. */
  adopt(node: Node, from: Node, end: End): void {
    this.setPlace(node, end, from.at[end]!)
    from.at[end] = undefined
  }

  /** Makes two nodes of one: the first keeps the source's place, the second, new, the destination's. */
  split(node: Node): Node {
    const other = this.newNode()
    this.setPlace(other, 'destination', node.at.destination!)
    node.at.destination = undefined
    if (node.base !== undefined) {
      node.formerBase = node.base.path
      node.twin = other
      // What lay in it is in neither of the two any more as far as the archive knows.
      const lost = this.newNode()
      lost.dropped = true
      this.#byBase.set(node.base.path, lost)
      node.base = undefined
    }
    return other
  }
}
