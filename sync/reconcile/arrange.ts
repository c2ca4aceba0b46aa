import type { End } from './entry.js'
import type { Node, Want } from './node.js'
import type { Operation } from './operation.js'
import type { Sheet } from './sheet.js'
import { type Done, Steps } from './steps.js'
import type { Case } from './target.js'

/** What a thing that is not placed yet is waited for: as the directory to go to, or because it has the name. */
type Wait = 'directory' | 'name'

/**
 * Puts the operations at one end in an order that is right by construction. It begins with the names that are there and ends
 * with those that shall be. A node is placed once the directory it goes to is placed and its name is free; whoever has that
 * name is placed first, or removed, if nobody wants it. Who would have to wait for himself steps aside to a private place.
 */
export class Arrangement {
  readonly #c: Case
  readonly #end: End
  readonly #steps: Steps
  /** Who comes back once this one is placed. */
  readonly #waiting = new Map<Node, Node[]>()
  /** May go into a directory that is not placed yet. */
  readonly #entering = new Set<Node>()
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
    for (const node of this.#c.forest.nodes) if (node.want[this.#end] !== undefined) this.#visit(node)
    this.#steps.group()
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

  #visit(start: Node): void {
    const { tree } = this.#steps
    const open = new Map<Node, Wait>()
    const stack: Node[] = []
    const push = (node: Node, wait: Wait): void => {
      if (open.has(node) || this.#placed.has(node)) return
      stack.push(node)
      open.set(node, wait)
    }
    const pop = (): void => void open.delete(stack.pop()!)
    push(start, 'directory')
    for (let steps = 0; stack.length > 0; steps++) {
      // A fault of ours must not hold a worker for ever.
      if (steps > 100 + 20 * this.#c.forest.nodes.length) throw new Error('reconcile: no order was found')
      const node = stack.at(-1)!
      const want = node.want[this.#end]
      const first = want === undefined || this.#placed.has(node) ? undefined : this.#waitsFor(node, want)
      if (first !== undefined) {
        const wait: Wait = first === want!.parent ? 'directory' : 'name'
        if (!open.has(first)) push(first, wait)
        else if (wait === 'name') this.#steps.park(first)
        else if (tree.isReachable(first, node)) this.#entering.add(node)
        else {
          // They wait for one another in a circle. Whoever has a name that another waits for steps aside, and comes back after it.
          while (open.get(stack.at(-1)!) !== 'name') {
            if (stack.length === 0) throw new Error('reconcile: a circle in which nobody waits for a name')
            pop()
          }
          const aside = stack.at(-1)!
          pop()
          this.#steps.park(aside)
          const after = stack.at(-1)!
          this.#waiting.set(after, [...(this.#waiting.get(after) ?? []), aside])
        }
        continue
      }
      pop()
      if (want === undefined || this.#placed.has(node)) continue
      const left = tree.slotOf(node)
      this.#placed.add(node)
      this.#steps.place(node, want)
      // Whose name this one gave up comes next, so that the name is nobody's for one step at most.
      const heir = left === undefined ? undefined : this.#wanted.get(left)
      if (heir !== undefined) push(heir, 'directory')
      for (const waiting of this.#waiting.get(node) ?? []) push(waiting, 'directory')
    }
  }

  /** Who must be placed before; undefined: nobody. Removes what is in the way and wanted by nobody. */
  #waitsFor(node: Node, want: Want): Node | undefined {
    const { tree } = this.#steps
    const { parent, name } = want
    if (parent !== this.#c.forest.root && !this.#placed.has(parent)) {
      if (!this.#entering.has(node) || !tree.isReachable(parent, node)) return parent
    }
    const around = tree.unplacedAround(parent, node, this.#placed)
    if (around !== undefined) return around
    const there = tree.child(parent, name)
    if (there === undefined || there === node) return undefined
    if (!this.#isUnwanted(there)) return there
    if (there.isDirectory) return this.#clear(there)
    if (!this.#steps.isNewLeaf(node)) this.#steps.remove(there, true)
    return undefined
  }

  /** Empties and removes a directory whose name is needed. @returns something in it that has to be placed elsewhere first */
  #clear(directory: Node): Node | undefined {
    const inside = this.#steps.tree.children(directory)
    for (const child of inside) {
      if (!this.#isUnwanted(child)) return child
      if (child.isDirectory) {
        const first = this.#clear(child)
        if (first !== undefined) return first
      } else this.#steps.remove(child, true)
    }
    this.#steps.remove(directory, true)
    return undefined
  }
}
