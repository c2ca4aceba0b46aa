/**
 * What an end held at a moment: today's tree with the lines since then undone, newest first. Only what the lines name is
 * held in memory; everything else is asked of today's tree. A moved or untouched folder of any size is one step.
 */
import { joinRel, nameOf, parentOf, type RelPath, ROOT } from '../../storage/base/index.js'
import type { Kept, KeptAttributes, VersionLine } from './line.js'

/** An entry as of then, and where its content is: in the tree under the name it has today, or in the store by its hash. */
export interface EntryThen {
  readonly path: RelPath
  readonly was: Kept
  /** The path it has today; undefined when it is kept as a version. */
  readonly now?: RelPath
  /** A directory below which everything is as it is today below `now`: what it holds is not told. */
  readonly whole?: true
}

/** Today's tree. A directory that is not there holds nothing. */
export interface TreeNow {
  list(path: RelPath): readonly { readonly name: string; readonly entry: Kept }[]
  find(path: RelPath): Kept | undefined
}

interface Node {
  /** undefined: as `now` says; null: nothing was there. */
  was?: Kept | null
  /** It was as that says, but for these. */
  attributes?: KeptAttributes | undefined
  /** Where its other children are found today; undefined: it has no others. */
  now: RelPath | undefined
  children: Map<string, Node>
}

export class TreeThen {
  readonly #root: Node = { now: ROOT, children: new Map() }
  /** Lines of one group, until all of it was seen. */
  readonly #group: VersionLine[] = []

  /** Undoes one line; lines come newest first. */
  undo(line: VersionLine): void {
    const [first] = this.#group
    if (first !== undefined && (line.group !== first.group || line.run !== first.run)) this.#undoGroup()
    if (line.group === undefined) this.#undoOne(line)
    else this.#group.push(line)
  }

  #undoOne({ path, was, to }: VersionLine): void {
    if (to !== undefined) {
      this.#put(path, this.#take(to))
      return
    }
    const node = this.#node(path)
    node.attributes = was?.kind === 'attributes' ? was : undefined
    if (was?.kind === 'attributes') return
    node.was = was
    // What stood there was no folder, or was one that the run made: whatever is in it today came later.
    if (was?.kind !== 'directory') {
      node.now = undefined
      node.children = new Map()
    }
  }

  /** All at once: what was made goes, all that moved is taken up, the inmost first, and put down, the outmost first. */
  #undoGroup(): void {
    const lines = this.#group.splice(0)
    for (const line of lines) if (line.to === undefined && line.was === null) this.#undoOne(line)
    const moves = lines.flatMap(({ path, to }) => (to === undefined ? [] : [{ path, to }]))
    const taken = moves
      .sort((a, b) => depthOf(b.to) - depthOf(a.to))
      .map(({ path, to }) => ({ path, node: this.#take(to) }))
    for (const { path, node } of taken.sort((a, b) => depthOf(a.path) - depthOf(b.path))) this.#put(path, node)
    for (const line of lines) if (line.to === undefined && line.was !== null) this.#undoOne(line)
  }

  /** What was at `path` and below it, parents first, each directory in byte order of its names. */
  *entries(path: RelPath, today: TreeNow): Generator<EntryThen> {
    this.#undoGroup()
    let node: Node | undefined = this.#root
    let now: RelPath | undefined = ROOT
    for (const name of path === ROOT ? [] : path.split('/')) {
      const child: Node | undefined = node?.children.get(name)
      now = child !== undefined ? child.now : now === undefined ? undefined : joinRel(now, name)
      node = child
    }
    if (path === ROOT) yield* this.#below(path, this.#root, now, today)
    else yield* this.#entry(path, node, now, now === undefined ? undefined : today.find(now), today)
  }

  /** @param found - what is at `now` today */
  *#entry(
    path: RelPath,
    node: Node | undefined,
    now: RelPath | undefined,
    found: Kept | undefined,
    today: TreeNow
  ): Generator<EntryThen> {
    const kept = node?.was !== undefined
    const entry = kept ? node.was : found
    if (entry === null || entry === undefined) return
    const directory = entry.kind === 'directory'
    yield {
      ...{ path, was: withAttributes(entry, node?.attributes) },
      ...(kept || now === undefined ? {} : { now }),
      ...(directory && node === undefined && { whole: true })
    }
    if (directory && node !== undefined) yield* this.#below(path, node, now, today)
  }

  *#below(path: RelPath, node: Node, now: RelPath | undefined, today: TreeNow): Generator<EntryThen> {
    const there = new Map(now === undefined ? [] : today.list(now).map(({ name, entry }) => [name, entry]))
    const names = new Set([...there.keys(), ...node.children.keys()])
    for (const name of [...names].sort()) {
      const child = node.children.get(name)
      const stays = now === undefined ? undefined : joinRel(now, name)
      const nowHere = child === undefined ? stays : child.now
      const found = nowHere === undefined ? undefined : nowHere === stays ? there.get(name) : today.find(nowHere)
      yield* this.#entry(joinRel(path, name), child, nowHere, found, today)
    }
  }

  /** The node of a path, made with those above it where nothing is known of them yet. */
  #node(path: RelPath): Node {
    let node = this.#root
    for (const name of path.split('/')) {
      let child = node.children.get(name)
      if (child === undefined) {
        child = { now: node.now === undefined ? undefined : joinRel(node.now, name), children: new Map() }
        node.children.set(name, child)
      }
      node = child
    }
    return node
  }

  /** What is at a path; afterwards nothing is. */
  #take(path: RelPath): Node {
    const node = this.#node(path)
    this.#put(path, { was: null, now: undefined, children: new Map() })
    return node
  }

  #put(path: RelPath, node: Node): void {
    const parent = parentOf(path)
    ;(parent === ROOT ? this.#root : this.#node(parent)).children.set(nameOf(path), node)
  }
}

const depthOf = (path: RelPath): number => path.split('/').length

function withAttributes(entry: Kept, attributes: KeptAttributes | undefined): Kept {
  if (attributes === undefined) return entry
  const { mtimeNs, mode } = attributes
  return entry.kind === 'symlink' ? { ...entry, mtimeNs } : { ...entry, mtimeNs, mode }
}
