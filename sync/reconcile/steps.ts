import type { RelPath } from '../../storage/base/index.js'
import { joinRel } from '../../storage/base/paths.js'
import { type End, ends, isLeaf, type Leaf, otherEnd, type Present, sameContent } from './entry.js'
import { deletionVersion, nowAt, originOf, writtenVersion } from './facts.js'
import { groupsOf, type Range } from './group.js'
import { agreeMetadata, attributesToSet, type Metadata, modeAt } from './metadata.js'
import { NameTree } from './name-tree.js'
import type { Node, Want } from './node.js'
import type { Operation } from './operation.js'
import { reasonFor } from './reason.js'
import type { Sheet } from './sheet.js'
import { type Case, wantedEntry } from './target.js'
import { sameVersion, type Version } from './version.js'

/** What was done to one end for one node. */
export interface Done {
  /** The last operation that has to do with where it lies and what it holds. */
  id: number
  /** The place or content it shows afterwards came of an operation. */
  shownBy: number
}

/**
 * What is done at one end, step by step. Each step changes the tree of names as the end will have it by then, and names things
 * by the paths they have in it at that moment. In which order is for `Arrangement` to say.
 */
export class Steps {
  readonly operations: Operation[] = []
  readonly done = new Map<Node, Done>()
  readonly tree: NameTree
  readonly #c: Case
  readonly #end: End
  readonly #sheet: Sheet
  readonly #parked = new Map<Node, number>()
  readonly #freedBy = new Map<string, number>()
  readonly #ranges: Range[] = []
  readonly #attributes: { readonly node: Node; readonly seen: Leaf; readonly set: Partial<Metadata> }[] = []

  constructor(c: Case, end: End, sheet: Sheet) {
    this.#c = c
    this.#end = end
    this.#sheet = sheet
    this.tree = new NameTree(c, end)
  }

  /** Operations that its lying where it lies by now rests on: what put it there, and what put there the directories above. */
  needsOf(node: Node): number[] {
    const ids: number[] = []
    for (let at: Node | undefined = node; at !== undefined; at = this.tree.holder(at)) {
      const id = this.done.get(at)?.id
      // What is below was put there after what is above: that rests on it already.
      if (id !== undefined && id > (ids.at(-1) ?? -1)) ids.push(id)
    }
    return ids
  }

  /** A new file or link: it may take the name of another at once. */
  isNewLeaf(node: Node): boolean {
    const isThere = this.tree.holder(node) !== undefined || this.#parked.has(node)
    return !isThere && isLeaf(wantedEntry(this.#c, node, this.#end))
  }

  /** Steps aside, with all it holds. */
  park(node: Node): void {
    const path = this.tree.path(node)
    const expected = nowAt(this.#c, node, this.#end)!
    const op = this.#emit({ kind: 'park', end: this.#end, path, reason: 'making-room', expected }, this.needsOf(node))
    this.#note(node, op.id)
    this.tree.unhang(node)
    this.#parked.set(node, op.id)
  }

  /** @param room - its name is needed */
  remove(node: Node, room = false): void {
    const expected = nowAt(this.#c, node, this.#end)
    const holder = this.tree.holder(node)!
    if (expected === undefined) {
      this.tree.unhang(node)
      return
    }
    const path = this.tree.path(node)
    const reason = reasonFor(this.#c, node, this.#end, 'removal')
    const common = { end: this.#end, path, reason, ...this.#deleted(node, expected, path) }
    const op = this.#emit(
      expected.kind === 'directory'
        ? { kind: 'remove-directory', expected, ...common }
        : { kind: 'remove', expected, ...common },
      this.needsOf(holder)
    )
    this.done.set(node, { id: op.id, shownBy: op.id })
    if (room) this.#note(node, op.id)
    this.tree.unhang(node)
  }

  /** Puts it where it shall be, with the content that it shall have: its directory is there and its name is free. */
  place(node: Node, { parent, name }: Want): void {
    if (node.unlisted) return
    const entry = wantedEntry(this.#c, node, this.#end)
    const holder = this.tree.holder(node)
    const parked = this.#parked.get(node)
    const freed = this.#freedBy.get(this.tree.slot(parent, name))
    const needs = [...this.needsOf(parent), freed]
    const path = joinRel(this.tree.path(parent), name)
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
    } else if (!this.tree.isAt(node, parent, name)) {
      const expected = nowAt(this.#c, node, this.#end)
      if (expected === undefined) return
      const from = this.tree.path(node)
      const reason = reasonFor(this.#c, node, this.#end, 'move')
      op = this.#emit(
        { kind: 'move', end: this.#end, path: from, to: path, reason, expected, ...writtenVersion(node) },
        [...this.needsOf(node), ...needs]
      )
      this.#note(node, op.id)
    }
    if (op !== undefined) {
      // Both happen or neither: between them the name would be nobody's.
      if (freed !== undefined && parked === undefined) this.#ranges.push({ from: freed, to: op.id, cycle: false })
      this.done.set(node, { id: op.id, shownBy: op.id })
    }
    this.tree.unhang(node)
    this.tree.hang(node, parent, name)
    if (holder !== undefined || parked !== undefined) this.#refill(node, entry, path)
  }

  /** Marks what happens all or not at all; once everything is placed. */
  group(): void {
    const first = this.operations[0]?.id ?? 0
    for (const { from, to } of groupsOf(this.#ranges)) {
      for (let i = from - first; i <= to - first; i++) this.operations[i] = { ...this.operations[i]!, group: from }
    }
  }

  /** Permission bits and times of what stays the same, once everything is placed: a group consists of names and content alone. */
  setAttributes(): void {
    for (const { node, seen, set } of this.#attributes) {
      const path = this.tree.path(node)
      const op = this.#emit(
        { kind: 'attributes', end: this.#end, path, reason: 'metadata', ...set, seen },
        this.needsOf(node)
      )
      this.done.set(node, { id: op.id, shownBy: op.id })
    }
  }

  /** What it holds, where it is now where it shall be. */
  #refill(node: Node, entry: Present | undefined, path: RelPath): void {
    const now = nowAt(this.#c, node, this.#end)
    if (node.held !== undefined || now === undefined || entry === undefined) return
    if (sameContent(now, entry)) {
      this.#touchUp(node, now, path)
      return
    }
    if (!isLeaf(now) || !isLeaf(entry)) return
    const reason = reasonFor(this.#c, node, this.#end, 'content')
    const op = this.#emit(
      { kind: 'replace', path, reason, expected: now, ...this.#written(node, entry) },
      this.needsOf(node)
    )
    this.done.set(node, { id: op.id, shownBy: op.id })
  }

  /** Same content: what it has seen, and of files permission bits and time; those of directories come last (`directories.ts`). */
  #touchUp(node: Node, now: Present, path: RelPath): void {
    const { source, destination } = ends(n => node.present(n))
    if (source === undefined || destination === undefined || !sameContent(source, destination)) return
    const { version } = writtenVersion(node)
    if (version !== undefined && !this.done.has(node) && !sameVersion(version, now.version))
      this.#emit({ kind: 'version', end: this.#end, path, reason: 'metadata', version }, this.needsOf(node))
    if (now.kind === 'directory') return
    const wanted = agreeMetadata(source, destination, node.base?.entry, this.#c.options)
    const set = wanted && attributesToSet(wanted, now, this.#end, this.#c.options, true)
    if (set !== undefined) this.#attributes.push({ node, seen: now, set })
  }

  #create(node: Node, entry: Present, path: RelPath, needs: readonly (number | undefined)[]): Operation {
    const end = this.#end
    const reason = reasonFor(this.#c, node, end, 'content')
    if (entry.kind === 'directory') {
      // Whoever may not write into it could not fill it; its own bits follow when it is filled.
      const shape = { mode: entry.mode | 0o700, mtimeNs: entry.mtimeNs }
      return this.#emit({ kind: 'make-directory', end, path, reason, ...shape, ...writtenVersion(node) }, needs)
    }
    const common = { path, reason, ...this.#written(node, entry) }
    const there = this.tree.child(node.want[end]!.parent, node.want[end]!.name)
    const expected = there === undefined ? undefined : nowAt(this.#c, there, end)
    if (!isLeaf(expected)) return this.#emit({ kind: 'create', ...common }, needs)
    const mode = modeAt(common.content, this.#end, expected, this.#c.options)
    const op = this.#emit({ kind: 'replace', expected, ...common, mode }, needs)
    this.done.set(there!, { id: op.id, shownBy: op.id })
    this.tree.unhang(there!)
    return op
  }

  #written(node: Node, content: Leaf) {
    const { mode, mtimeNs } = content
    const from = originOf(this.#c, node, this.#end)
    return { end: this.#end, content, mode: mode & 0o777, mtimeNs, from, ...writtenVersion(node) }
  }

  /**
   * What a deletion has seen. Where the other end has another thing under this name, it was deleted there under another one: with
   * what that has seen it would pass for the deletion of the thing that is to come here, if the session is cut off before.
   */
  #deleted(node: Node, { version }: Present, path: RelPath): { version?: Version } {
    const there = this.#c.forest.findAt(otherEnd(this.#end), path)
    if (there === undefined || there.one === node.one) return deletionVersion(node)
    return version === undefined ? {} : { version }
  }

  /** Its name becomes free. */
  #note(node: Node, id: number): void {
    this.#freedBy.set(this.tree.slotOf(node)!, id)
  }

  #emit(init: Parameters<Sheet['add']>[0], needs: readonly (number | undefined)[]): Operation {
    const op = this.#sheet.add(init, needs)
    this.operations.push(op)
    return op
  }
}
