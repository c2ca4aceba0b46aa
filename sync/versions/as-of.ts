/**
 * What an end held at a moment: today's tree with the lines since then undone, newest first. Only what the lines name is
 * held in memory; everything else is asked of today's tree as it is walked. A moved folder of any size is one step.
 */
import { joinRel, nameOf, parentOf, type RelPath, ROOT } from '../../storage/base/index.js'
import type { Kept, VersionLine } from './line.js'

/** An entry as of then, and where its content is: in the tree under the name it has today, or in the store by its hash. */
export interface EntryThen {
  readonly path: RelPath
  readonly was: Kept
  /** The path it has today; undefined when it is kept as a version. */
  readonly now?: RelPath
}

/** Today's tree: what a directory holds. A directory that is not there holds nothing. */
export type ListNow = (path: RelPath) => Promise<readonly { readonly name: string; readonly entry: Kept }[]>

interface Node {
  /** undefined: as `now` says; null: nothing was there. */
  was?: Kept | null
  /** Where its other children are found today; undefined: it has no others. */
  now: RelPath | undefined
  children: Map<string, Node>
}

export class TreeThen {
  readonly #root: Node = { now: ROOT, children: new Map() }

  /** Undoes one line; lines come newest first. */
  undo({ path, was, to }: VersionLine): void {
    if (to !== undefined) {
      const moved = this.#node(to)
      this.#put(to, { was: null, now: undefined, children: new Map() })
      this.#put(path, moved)
      return
    }
    const node = this.#node(path)
    node.was = was
    // What stood there was no folder, or was one that the run made: whatever is in it today came later.
    if (was?.kind !== 'directory') {
      node.now = undefined
      node.children = new Map()
    }
  }

  /** What was at `path` and below it, parents first, each directory in byte order of its names. */
  async *entries(path: RelPath, list: ListNow): AsyncGenerator<EntryThen> {
    let node: Node | undefined = this.#root
    let now: RelPath | undefined = ROOT
    for (const name of path === ROOT ? [] : path.split('/')) {
      const child: Node | undefined = node?.children.get(name)
      now = child !== undefined ? child.now : now === undefined ? undefined : joinRel(now, name)
      node = child
    }
    if (path !== ROOT) {
      const entry = await this.#entryAt(node, now, list)
      if (entry === undefined) return
      yield { path, ...entry }
      if (entry.was.kind !== 'directory') return
    }
    yield* this.#below(path, node, now, list)
  }

  async #entryAt(
    node: Node | undefined,
    now: RelPath | undefined,
    list: ListNow
  ): Promise<Omit<EntryThen, 'path'> | undefined> {
    if (node?.was === null) return undefined
    if (node?.was !== undefined) return { was: node.was }
    if (now === undefined || now === ROOT) return undefined
    const found = (await list(parentOf(now))).find(({ name }) => name === nameOf(now))
    return found && { was: found.entry, now }
  }

  async *#below(
    path: RelPath,
    node: Node | undefined,
    now: RelPath | undefined,
    list: ListNow
  ): AsyncGenerator<EntryThen> {
    const today = new Map(now === undefined ? [] : (await list(now)).map(({ name, entry }) => [name, entry]))
    const names = new Set([...today.keys(), ...(node?.children.keys() ?? [])])
    for (const name of [...names].sort()) {
      const child = node?.children.get(name)
      const nowHere = child !== undefined ? child.now : joinRel(now!, name)
      const found =
        child === undefined ? { was: today.get(name)!, now: nowHere! } : await this.#entryAt(child, nowHere, list)
      if (found === undefined) continue
      const here = joinRel(path, name)
      yield { path: here, ...found }
      if (found.was.kind === 'directory') yield* this.#below(here, child, nowHere, list)
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

  #put(path: RelPath, node: Node): void {
    const parent = parentOf(path)
    ;(parent === ROOT ? this.#root : this.#node(parent)).children.set(nameOf(path), node)
  }
}
