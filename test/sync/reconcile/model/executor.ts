/** What an executor does to a disk of the model, with the manners of a strict file system. */
import assert from 'node:assert/strict'
import type { RelPath } from '../../../../storage/base/index.js'
import { parentOf } from '../../../../storage/base/index.js'
import {
  type Leaf,
  mergeVersions,
  type Operation,
  type Present,
  sameContent,
  type Trace,
  type Version
} from '../../../../sync/reconcile/index.js'
import type { Item } from './items.js'
import { ScannedItems } from './scan.js'

/**
 * Nothing is made below what is not there, nothing is written over, no directory goes that holds something. What is replaced or
 * removed goes to `versions`.
 */
export class ExecutedItems extends ScannedItems {
  readonly #parked = new Map<number, Map<string, Item>>()

  execute(op: Operation, read: (leaf: Leaf) => boolean): Trace {
    switch (op.kind) {
      case 'create':
        assert.ok(read(op.content), `no ${op.from.end} has what ${op.path} is made of`)
        this.#free(op.path)
        return this.#put(op.path, op.content, op)
      case 'replace': {
        assert.ok(read(op.content), `nothing to replace ${op.path} with`)
        this.#expect(op.path, op.expected)
        this.versions.add(this.items.get(op.path)!.content)
        return this.#put(op.path, op.content, op)
      }
      case 'make-directory':
        this.#free(op.path)
        return this.add(op.path, { kind: 'directory', mode: op.mode, mtimeNs: op.mtimeNs, version: op.version })
      case 'remove':
        this.#expect(op.path, op.expected)
        this.versions.add(this.items.get(op.path)!.content)
        return this.#gone(op.path, op.version)
      case 'remove-directory':
        this.#expect(op.path, op.expected)
        assert.deepEqual(this.within(op.path), [op.path], `${op.path} is not empty`)
        return this.#gone(op.path, op.version)
      case 'move': {
        this.#expect(op.path, op.expected)
        if (this.fold(op.path) !== this.fold(op.to)) this.#free(op.to)
        assert.ok(!op.to.startsWith(`${op.path}/`), `${op.path} into itself`)
        return this.#settleTree(this.#take(op.path), op.to, op.version)
      }
      case 'park':
        this.#expect(op.path, op.expected)
        this.#parked.set(op.id, this.#take(op.path))
        return { mtimeNs: 0n, mode: 0 }
      case 'unpark': {
        this.#free(op.path)
        const tree = this.#parked.get(op.parked)
        assert.ok(tree, 'nothing was parked')
        this.#parked.delete(op.parked)
        return this.#settleTree(tree, op.path, op.version)
      }
      case 'attributes': {
        const item = this.items.get(op.path)
        assert.ok(item, `no ${op.path} to set attributes of`)
        if (op.mode !== undefined) item.mode = op.mode
        if (op.mtimeNs !== undefined) item.mtimeNs = op.mtimeNs
        return this.trace(op.path)
      }
      case 'version': {
        const item = this.items.get(op.path)
        assert.ok(item, `no ${op.path} to note a version of`)
        // What was changed by hand meanwhile keeps that.
        item.version = mergeVersions(item.version, op.version)
        return this.trace(op.path)
      }
    }
  }

  get parked(): number {
    return this.#parked.size
  }

  #take(top: RelPath): Map<string, Item> {
    const tree = new Map(this.within(top).map(p => [p.slice(top.length), this.items.get(p)!]))
    for (const p of this.within(top)) this.items.delete(p)
    this.touch(parentOf(top))
    return tree
  }

  #settleTree(tree: Map<string, Item>, to: RelPath, version: Version | undefined): Trace {
    for (const [below, item] of tree) this.items.set((to + below) as RelPath, item)
    const top = this.items.get(to)!
    top.version = mergeVersions(top.version, version)
    this.touch(parentOf(to))
    return this.trace(to)
  }

  #put(
    at: RelPath,
    leaf: Leaf,
    { mode, mtimeNs, version }: { mode: number; mtimeNs: bigint; version?: Version }
  ): Trace {
    const content =
      leaf.kind === 'file' ? { content: leaf.hash as string, sizeBytes: leaf.sizeBytes } : { content: leaf.target }
    return this.add(at, { kind: leaf.kind, ...content, mode, mtimeNs, version })
  }

  #gone(at: RelPath, version: Version | undefined): Trace {
    this.items.delete(at)
    if (version !== undefined) this.tombs.set(at, version)
    this.touch(parentOf(at))
    return { mtimeNs: 0n, mode: 0 }
  }

  #free(at: RelPath): void {
    const parent = parentOf(at)
    assert.ok(parent === '' || this.items.get(parent)?.kind === 'directory', `no directory for ${at}`)
    const alike = [...this.items.keys()].find(p => this.fold(p) === this.fold(at))
    assert.equal(alike, undefined, `something stands at ${at}`)
  }

  #expect(at: RelPath, expected: Present): void {
    // Something known may lie where the rules ignore while a plan is under way.
    const entry = this.entryOf(at, false)
    assert.ok(entry !== undefined && entry.kind !== 'gone' && entry.kind !== 'unknown', `nothing known at ${at}`)
    assert.ok(sameContent(entry, expected), `something else than expected at ${at}`)
  }
}
