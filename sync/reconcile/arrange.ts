import type { RelPath } from '../../storage/base/index.js'
import { joinRel } from '../../storage/base/paths.js'
import { type End, ends, isLeaf, type Leaf, type Present, sameContent } from './entry.js'
import { nowAt, originOf, writtenVersion } from './facts.js'
import { groupsOf, type Range } from './group.js'
import { agreeMetadata, attributesToSet } from './metadata.js'
import { ensureBounded, NameTree } from './name-tree.js'
import type { Node, Want } from './node.js'
import type { Operation } from './operation.js'
import { reasonFor } from './reason.js'
import type { Sheet } from './sheet.js'
import { type Case, wantedEntry } from './target.js'
import { sameVersion } from './version.js'

/** What a thing that is not placed yet is waited for: as the directory to go to, or because it has the name. */
type Wait = 'directory' | 'name'

/** What was done to one end for one node. */
export interface Done {
  /** The last operation that has to do with where it lies and what it holds. */
  id: number
  /** The place or content it shows afterwards came of an operation. */
  shownBy: number
}

/**
 * Puts the operations at one end in an order that is right by construction. It keeps the tree of names as it will be when an
 * operation is reached, begins with what is there and ends with what shall be. A node is placed once the directory it goes to
 * is placed and its name is free; whoever has that name is placed first, or removed, if nobody wants it. Who would have to
 * wait for himself steps aside to a private place. Operations name things by the paths they have at that moment.
 */
export class Arrangement {
  readonly operations: Operation[] = []
  readonly done = new Map<Node, Done>()
  readonly #c: Case
  readonly #end: End
  readonly #sheet: Sheet
  readonly #tree: NameTree
  readonly #parked = new Map<Node, number>()
  readonly #waiting = new Map<Node, Node[]>()
  /** May go into a directory that is not placed yet. */
  readonly #entering = new Set<Node>()
  /** Who wants which name. */
  readonly #wanted = new Map<string, Node>()
  readonly #placed = new Set<Node>()
  readonly #freedBy = new Map<string, number>()
  readonly #ranges: Range[] = []

  constructor(c: Case, end: End, sheet: Sheet) {
    this.#c = c
    this.#end = end
    this.#sheet = sheet
    this.#tree = new NameTree(c, end)
  }

  /** Everything but what only goes: that is last, once all ends have what they shall have. */
  place(): void {
    for (const node of this.#c.forest.nodes) {
      const want = node.want[this.#end]
      if (want !== undefined) this.#wanted.set(this.#tree.slot(want.parent, want.name), node)
    }
    for (const node of this.#c.forest.nodes) if (node.want[this.#end] !== undefined) this.#visit(node)
    this.#group()
  }

  /** Files and links that nobody wants any more. */
  removeLeaves(): void {
    for (const node of this.#tree.nodes) {
      if (this.#isUnwanted(node) && !node.isDirectory) this.#remove(node)
    }
  }

  /** Directories that nobody wants any more, bottom-up. */
  removeDirectories(): void {
    const gone = this.#tree.nodes.filter(n => this.#isUnwanted(n) && n.isDirectory)
    const paths = new Map(gone.map(n => [n, this.#tree.path(n)]))
    for (const node of gone.sort(
      (a, b) =>
        paths.get(b)!.split('/').length - paths.get(a)!.split('/').length || (paths.get(a)! < paths.get(b)! ? -1 : 1)
    )) {
      this.#remove(node)
    }
  }

  /** Operations that a thing's being where it shall be rests on. */
  needsOf(node: Node): number[] {
    let steps = 0
    for (let at = node; at !== this.#c.forest.root; ensureBounded(++steps)) {
      const done = this.done.get(at)
      if (done !== undefined) return [done.id]
      const want = at.want[this.#end]
      if (want === undefined) return []
      at = want.parent
    }
    return []
  }

  #isUnwanted(node: Node): boolean {
    return node.want[this.#end] === undefined && !node.unlisted && node !== this.#c.forest.root
  }

  #visit(start: Node): void {
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
        else if (wait === 'name') this.#park(first)
        else if (this.#tree.isReachable(first, node)) this.#entering.add(node)
        else {
          // They wait for one another in a circle. Whoever has a name that another waits for steps aside, and comes back after it.
          while (open.get(stack.at(-1)!) !== 'name') {
            if (stack.length === 0) throw new Error('reconcile: a circle in which nobody waits for a name')
            pop()
          }
          const aside = stack.at(-1)!
          pop()
          this.#park(aside)
          const after = stack.at(-1)!
          this.#waiting.set(after, [...(this.#waiting.get(after) ?? []), aside])
        }
        continue
      }
      pop()
      if (want === undefined || this.#placed.has(node)) continue
      const left = this.#tree.slotOf(node)
      this.#placeNow(node, want)
      // Whose name this one gave up comes next, so that the name is nobody's for one step at most.
      const heir = left === undefined ? undefined : this.#wanted.get(left)
      if (heir !== undefined) push(heir, 'directory')
      for (const waiting of this.#waiting.get(node) ?? []) push(waiting, 'directory')
    }
  }

  /** Who must be placed before; undefined: nobody. Removes what is in the way and wanted by nobody. */
  #waitsFor(node: Node, want: Want): Node | undefined {
    const { parent, name } = want
    if (parent !== this.#c.forest.root && !this.#placed.has(parent)) {
      if (!this.#entering.has(node) || !this.#tree.isReachable(parent, node)) return parent
    }
    const around = this.#tree.unplacedAround(parent, node, this.#placed)
    if (around !== undefined) return around
    const there = this.#tree.child(parent, name)
    if (there === undefined || there === node) return undefined
    if (!this.#isUnwanted(there)) return there
    if (!there.isDirectory) {
      const isNew = this.#tree.holder(node) === undefined && !this.#parked.has(node)
      if (!isNew || !isLeaf(wantedEntry(this.#c, node, this.#end))) this.#remove(there, true)
      return undefined
    }
    return this.#clear(there)
  }

  /** Empties and removes a directory whose name is needed. @returns something in it that has to be placed elsewhere first */
  #clear(directory: Node): Node | undefined {
    const inside = this.#tree.children(directory)
    for (const child of inside) {
      if (!this.#isUnwanted(child)) return child
      if (child.isDirectory) {
        const first = this.#clear(child)
        if (first !== undefined) return first
      } else this.#remove(child, true)
    }
    this.#remove(directory, true)
    return undefined
  }

  #park(node: Node): void {
    const path = this.#tree.path(node)
    const op = this.#emit(
      { kind: 'park', end: this.#end, path, reason: 'making-room', expected: nowAt(this.#c, node, this.#end)! },
      [this.#parentOp(this.#tree.holder(node)!)]
    )
    this.#note(node, op.id)
    this.#tree.unhang(node)
    this.#parked.set(node, op.id)
  }

  #remove(node: Node, room = false): void {
    const expected = nowAt(this.#c, node, this.#end)
    const holder = this.#tree.holder(node)!
    if (expected === undefined) {
      this.#tree.unhang(node)
      return
    }
    const path = this.#tree.path(node)
    const common = {
      end: this.#end,
      path,
      reason: reasonFor(this.#c, node, this.#end, 'removal'),
      ...writtenVersion(node)
    }
    const op = this.#emit(
      expected.kind === 'directory'
        ? { kind: 'remove-directory', expected, ...common }
        : { kind: 'remove', expected, ...common },
      [this.#parentOp(holder)]
    )
    this.done.set(node, { id: op.id, shownBy: op.id })
    if (room) this.#note(node, op.id)
    this.#tree.unhang(node)
  }

  #placeNow(node: Node, want: Want): void {
    const { parent, name } = want
    this.#placed.add(node)
    if (node.unlisted) return
    const entry = wantedEntry(this.#c, node, this.#end)
    const holder = this.#tree.holder(node)
    const parked = this.#parked.get(node)
    const freed = this.#freedBy.get(this.#tree.slot(parent, name))
    const needs = [this.#parentOp(parent), freed]
    const path = joinRel(this.#tree.path(parent), name)
    let op: Operation | undefined
    if (parked !== undefined) {
      op = this.#emit({ kind: 'unpark', end: this.#end, path, reason: 'moved', parked, ...writtenVersion(node) }, [
        parked,
        ...needs
      ])
      this.#ranges.push({ from: parked, to: op.id, cycle: true })
    } else if (holder === undefined) {
      if (entry === undefined) return
      op = this.#create(node, entry, path, needs)
    } else if (!this.#tree.isAt(node, parent, name)) {
      const expected = nowAt(this.#c, node, this.#end)
      if (expected === undefined) return
      const from = this.#tree.path(node)
      const reason = reasonFor(this.#c, node, this.#end, 'move')
      op = this.#emit(
        { kind: 'move', end: this.#end, path: from, to: path, reason, expected, ...writtenVersion(node) },
        [this.#parentOp(holder), ...needs]
      )
      this.#note(node, op.id)
    }
    if (op !== undefined) {
      if (freed !== undefined && parked === undefined) this.#chain(freed, op.id)
      this.done.set(node, { id: op.id, shownBy: op.id })
    }
    this.#tree.unhang(node)
    this.#tree.hang(node, parent, name)
    if (holder !== undefined || parked !== undefined) this.#refill(node, entry, path)
  }

  /** What it holds, where it is now where it shall be. */
  #refill(node: Node, entry: Present | undefined, path: RelPath): void {
    const now = nowAt(this.#c, node, this.#end)
    if (node.held !== undefined || !isLeaf(now) || !isLeaf(entry)) return
    if (sameContent(now, entry)) {
      this.#touchUp(node, path)
      return
    }
    const reason = reasonFor(this.#c, node, this.#end, 'content')
    const op = this.#emit(
      {
        kind: 'replace',
        end: this.#end,
        path,
        reason,
        expected: now,
        content: entry,
        ...this.#shape(entry),
        from: originOf(this.#c, node, this.#end),
        ...writtenVersion(node)
      },
      this.needsOf(node)
    )
    this.done.set(node, { id: op.id, shownBy: op.id })
  }

  /** Same content: permission bits and time, and what it has seen. */
  #touchUp(node: Node, path: RelPath): void {
    const { source, destination } = ends(n => node.present(n))
    if (source === undefined || destination === undefined || !sameContent(source, destination)) return
    const wanted = agreeMetadata(source, destination, node.base?.entry, this.#c.options)
    const now = node.present(this.#end)!
    const set = wanted && attributesToSet(wanted, now, this.#end, this.#c.options, true)
    if (set !== undefined) {
      const op = this.#emit(
        { kind: 'attributes', end: this.#end, path, reason: 'metadata', ...set },
        this.needsOf(node)
      )
      this.done.set(node, { id: op.id, shownBy: op.id })
    }
    const { version } = writtenVersion(node)
    if (version !== undefined && !this.done.has(node) && !sameVersion(version, now.version)) {
      this.#emit({ kind: 'version', end: this.#end, path, reason: 'metadata', version }, [])
    }
  }

  #create(node: Node, entry: Present, path: RelPath, needs: readonly (number | undefined)[]): Operation {
    const end = this.#end
    const reason = reasonFor(this.#c, node, end, 'content')
    if (entry.kind === 'directory') {
      // Whoever may not write into it could not fill it; its own bits follow when it is filled.
      const shape = { mode: entry.mode | 0o700, mtimeNs: entry.mtimeNs }
      return this.#emit({ kind: 'make-directory', end, path, reason, ...shape, ...writtenVersion(node) }, needs)
    }
    const common = {
      end,
      path,
      reason,
      content: entry,
      ...this.#shape(entry),
      from: originOf(this.#c, node, this.#end),
      ...writtenVersion(node)
    }
    const there = this.#tree.child(node.want[end]!.parent, node.want[end]!.name)
    const expected = there === undefined ? undefined : nowAt(this.#c, there, this.#end)
    if (!isLeaf(expected)) return this.#emit({ kind: 'create', ...common }, needs)
    const op = this.#emit({ kind: 'replace', expected, ...common }, needs)
    this.done.set(there!, { id: op.id, shownBy: op.id })
    this.#tree.unhang(there!)
    return op
  }

  #shape = (entry: Leaf): { mode: number; mtimeNs: bigint } => ({ mode: entry.mode & 0o777, mtimeNs: entry.mtimeNs })

  #parentOp(directory: Node): number | undefined {
    return this.needsOf(directory)[0]
  }

  /** Its name becomes free. */
  #note(node: Node, id: number): void {
    this.#freedBy.set(this.#tree.slotOf(node)!, id)
  }

  #emit(init: Parameters<Sheet['add']>[0], needs: readonly (number | undefined)[]): Operation {
    const op = this.#sheet.add(init, needs)
    this.operations.push(op)
    return op
  }

  /** Both happen or neither: between them the name would be nobody's. */
  #chain(from: number, to: number): void {
    this.#ranges.push({ from, to, cycle: false })
  }

  #group(): void {
    const first = this.operations[0]?.id ?? 0
    for (const { from, to } of groupsOf(this.#ranges)) {
      for (let i = from - first; i <= to - first; i++) this.operations[i] = { ...this.operations[i]!, group: from }
    }
  }
}
