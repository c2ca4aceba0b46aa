import type { End } from './entry.js'
import { ensureBounded } from './name-tree.js'
import type { Node, Want } from './node.js'
import type { Operation } from './operation.js'
import type { Sheet } from './sheet.js'
import { type Done, Steps } from './steps.js'
import type { Case } from './target.js'

/**
 * Puts the operations at one end in an order that is right by construction. It begins with the names that are there and ends
 * with those that shall be. A thing is placed once the directories above it are placed and its name is free: so those are
 * placed first, and whoever has its name, or that one is removed, if nobody wants it. Who would have to wait for himself steps
 * aside, but for what has to leave him, which steps out of him first: so nothing that still has to go anywhere is ever out of
 * reach. A step aside or a placing comes of every circle, and either happens once for each thing: it ends.
 */
export class Arrangement {
  readonly #c: Case
  readonly #end: End
  readonly #steps: Steps
  /** Who may be able to come once this one is placed. */
  readonly #waiting = new Map<Node, Node[]>()
  /** Who wants which name. */
  readonly #wanted = new Map<string, Node>()
  readonly #placed = new Set<Node>()

  constructor(c: Case, end: End, sheet: Sheet) {
    this.#c = c
    this.#end = end
    this.#steps = new Steps(c, end, sheet)
  }

  get operations(): Operation[] {
    return this.#steps.operations
  }

  get done(): ReadonlyMap<Node, Done> {
    return this.#steps.done
  }

  /** Operations that a thing's being where it shall be rests on. */
  needsOf(node: Node): number[] {
    return this.#steps.needsOf(node)
  }

  /** Everything but what only goes: that is last, once all ends have what they shall have. */
  place(): void {
    const { tree } = this.#steps
    for (const node of this.#c.forest.nodes) {
      const want = node.want[this.#end]
      if (want !== undefined) this.#wanted.set(tree.slot(want.parent, want.name), node)
    }
    for (const node of this.#c.forest.nodes) {
      for (let rounds = 0; node.want[this.#end] !== undefined && !this.#placed.has(node); rounds++) {
        // A fault of ours must not hold a worker for ever.
        if (rounds > this.#c.forest.nodes.length) throw new Error('reconcile: no order was found')
        this.#visit(node)
      }
    }
    this.#steps.group()
    this.#steps.setAttributes()
  }

  /** Files and links that nobody wants any more. */
  removeLeaves(): void {
    for (const node of this.#steps.tree.nodes) {
      if (this.#isUnwanted(node) && !node.isDirectory) this.#steps.remove(node)
    }
  }

  /** Directories that nobody wants any more, bottom-up. */
  removeDirectories(): void {
    const { tree } = this.#steps
    const gone = tree.nodes.filter(n => this.#isUnwanted(n) && n.isDirectory)
    const paths = new Map(gone.map(n => [n, tree.path(n)]))
    for (const node of gone.sort(
      (a, b) =>
        paths.get(b)!.split('/').length - paths.get(a)!.split('/').length || (paths.get(a)! < paths.get(b)! ? -1 : 1)
    )) {
      this.#steps.remove(node)
    }
  }

  #isUnwanted(node: Node): boolean {
    return node.want[this.#end] === undefined && !node.unlisted && node !== this.#c.forest.root
  }

  /** Places it and whatever has to be placed before; or somebody stepped aside, and it is to be tried again. */
  #visit(start: Node): void {
    const queue = new Queue()
    queue.push(start)
    let steps = 0
    for (let node = queue.last; node !== undefined; node = queue.last) {
      // A fault of ours must not hold a worker for ever.
      if (++steps > 1000 + 100 * this.#c.forest.nodes.length) throw new Error('reconcile: no order was found')
      const want = node.want[this.#end]
      if (want === undefined || this.#placed.has(node)) {
        queue.pop()
        continue
      }
      const first = this.#waitsFor(node, want, queue)
      if (first === undefined) {
        queue.pop()
        this.#place(node, want, queue)
      } else if (!queue.isCircle(first)) queue.push(first)
      else {
        this.#waiting.set(first, [...(this.#waiting.get(first) ?? []), node])
        if (queue.isOptional(first)) queue.dropOptional()
        else {
          queue.pop()
          if (!this.#stepAside(node, queue)) queue.stuck.add(node)
        }
      }
    }
  }

  #place(node: Node, want: Want, queue: Queue): void {
    const left = this.#steps.tree.slotOf(node)
    this.#placed.add(node)
    this.#steps.place(node, want)
    queue.stuck.clear()
    // Who waited for it. Last, and so first: whose name it gave up, so that the name is nobody's for one step at most.
    const heir = left === undefined ? undefined : this.#wanted.get(left)
    for (const next of [...(this.#waiting.get(node) ?? []), heir]) {
      if (next !== undefined && !this.#placed.has(next)) queue.pushOptional(next)
    }
    this.#waiting.delete(node)
  }

  /** Who must be placed before, or get out of the way; undefined: nobody. Removes what is in the way and wanted by nobody. */
  #waitsFor(node: Node, { parent, name }: Want, queue: Queue): Node | undefined {
    const { tree } = this.#steps
    const there = tree.child(parent, name)
    const above = this.#unplacedAbove(parent)
    if (above !== undefined) {
      // Whoever waits for it waits for his own directory: it may go there where that is now.
      const enters = queue.has(above) && tree.isReachable(parent, node) && (there === undefined || there === node)
      return enters ? undefined : above
    }
    if (there === undefined || there === node) return undefined
    if (!this.#isUnwanted(there)) return there
    if (there.isDirectory) return this.#clear(there, queue)
    if (!this.#steps.isNewLeaf(node)) this.#steps.remove(there, true)
    return undefined
  }

  #unplacedAbove(directory: Node): Node | undefined {
    let steps = 0
    for (let at: Node | undefined = directory; at !== undefined; at = at.want[this.#end]?.parent) {
      if (at === this.#c.forest.root) return undefined
      if (!this.#placed.has(at)) return at
      ensureBounded(++steps)
    }
    return undefined
  }

  /** Out of the way, with what stays in it. @returns false: it is aside already, or with what is, or not there */
  #stepAside(node: Node, queue: Queue): boolean {
    const { tree } = this.#steps
    const holder = tree.holder(node)
    if (holder === undefined || !tree.isReachable(holder, node)) return false
    for (const leaving of this.#leaving(node)) this.#stepAside(leaving, queue)
    this.#steps.park(node)
    queue.stuck.clear()
    return true
  }

  /** What is in a directory and has to be elsewhere. */
  #leaving(directory: Node): Node[] {
    const { tree } = this.#steps
    return tree.children(directory).flatMap(child => {
      const want = child.want[this.#end]
      const stays = want === undefined || tree.isAt(child, want.parent, want.name)
      return stays ? this.#leaving(child) : [child]
    })
  }

  /** Empties and removes a directory whose name is needed. @returns something in it that has to be placed elsewhere first */
  #clear(directory: Node, queue: Queue): Node | undefined {
    for (const child of this.#steps.tree.children(directory)) {
      if (!this.#isUnwanted(child)) {
        if (!queue.isCircle(child)) return child
        this.#stepAside(child, queue)
      } else if (child.isDirectory) {
        const first = this.#clear(child, queue)
        if (first !== undefined) return first
      } else this.#steps.remove(child, true)
    }
    this.#steps.remove(directory, true)
    return undefined
  }
}

/** Who is to be placed: each waits for the one above it, but for those that are only tried since they may be able to come. */
class Queue {
  /** Nothing could be done for them since anything was done. */
  readonly stuck = new Set<Node>()
  readonly #nodes: Node[] = []
  readonly #at = new Map<Node, number>()
  /** Where those begin that nobody below waits for. */
  readonly #optional: number[] = []

  get last(): Node | undefined {
    return this.#nodes.at(-1)
  }

  has(node: Node): boolean {
    return this.#at.has(node)
  }

  /** It waits for the last one already, as far as can be told. */
  isCircle(node: Node): boolean {
    return this.has(node) || this.stuck.has(node)
  }

  push(node: Node): void {
    this.#at.set(node, this.#nodes.length)
    this.#nodes.push(node)
  }

  pushOptional(node: Node): void {
    if (this.has(node)) return
    this.#optional.push(this.#nodes.length)
    this.push(node)
  }

  pop(): void {
    const node = this.#nodes.pop()
    if (node !== undefined) this.#at.delete(node)
    if (this.#optional.at(-1) === this.#nodes.length) this.#optional.pop()
  }

  /** `node` does not wait for the last one. */
  isOptional(node: Node): boolean {
    const from = this.#optional.at(-1)
    const at = this.#at.get(node)
    return from !== undefined && at !== undefined && at < from
  }

  /** The one that is only tried, and all that it waits for. */
  dropOptional(): void {
    for (let from = this.#optional.at(-1); from !== undefined && this.#nodes.length > from; ) this.pop()
  }
}
