import type { RelPath } from '../../storage/base/index.js'
import { joinRel, MAX_PATH_BYTES, nameOf, ROOT } from '../../storage/base/paths.js'
import type { End } from './entry.js'
import { nameKey } from './names.js'
import type { Node } from './node.js'
import type { Case } from './target.js'

/** The names of one end as they are at some point of the plan. */
export class NameTree {
  readonly #root: Node
  readonly #key: (name: string) => string
  readonly #holder = new Map<Node, Node>()
  readonly #name = new Map<Node, string>()
  readonly #children = new Map<Node, Map<string, Node>>()

  /** As they are now. */
  constructor({ forest, options }: Case, end: End) {
    this.#root = forest.root
    this.#key = nameKey(options[end])
    for (const node of forest.nodes) {
      const place = node === forest.root ? undefined : node.at[end]
      if (place !== undefined) this.hang(node, forest.holderAt(node, end), nameOf(place.path))
    }
  }

  /** Everything that hangs in it. */
  get nodes(): Node[] {
    return [...this.#holder.keys()]
  }

  hang(node: Node, holder: Node, name: string): void {
    this.#holder.set(node, holder)
    this.#name.set(node, name)
    const children = this.#children.get(holder) ?? new Map<string, Node>()
    this.#children.set(holder, children.set(this.#key(name), node))
  }

  unhang(node: Node): void {
    const holder = this.#holder.get(node)
    if (holder === undefined) return
    this.#children.get(holder)?.delete(this.#key(this.#name.get(node)!))
    this.#holder.delete(node)
  }

  /** The directory it is in; undefined: it is not there, or put aside. */
  holder(node: Node): Node | undefined {
    return this.#holder.get(node)
  }

  isAt(node: Node, holder: Node, name: string): boolean {
    return this.#holder.get(node) === holder && this.#name.get(node) === name
  }

  children(directory: Node): Node[] {
    return [...(this.#children.get(directory)?.values() ?? [])]
  }

  child(directory: Node, name: string): Node | undefined {
    return this.#children.get(directory)?.get(this.#key(name))
  }

  /** Whether it can be reached from the root without going through `node`. */
  isReachable(directory: Node, node: Node): boolean {
    let steps = 0
    for (let at: Node | undefined = directory; at !== this.#root; at = this.#holder.get(at)) {
      if (at === undefined || at === node) return false
      ensureBounded(++steps)
    }
    return true
  }

  path(node: Node): RelPath {
    const names: string[] = []
    for (let at = node; at !== this.#root; at = this.#holder.get(at)!) {
      if (!this.#holder.has(at)) throw new Error('reconcile: something has no path')
      ensureBounded(names.length)
      names.push(this.#name.get(at)!)
    }
    return names.reverse().reduce<RelPath>((path, name) => joinRel(path, name), ROOT)
  }

  /** One name in one directory, as a key. */
  slot(holder: Node, name: string): string {
    return `${holder.number}/${this.#key(name)}`
  }

  slotOf(node: Node): string | undefined {
    const holder = this.#holder.get(node)
    return holder === undefined ? undefined : this.slot(holder, this.#name.get(node)!)
  }
}

/** No path is longer. A fault of ours must not hold a worker for ever: a plan that ends with an error has touched nothing. */
export function ensureBounded(steps: number): void {
  if (steps > MAX_PATH_BYTES) throw new Error('reconcile: a directory lies in itself')
}
