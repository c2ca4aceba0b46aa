/** An end in memory: what lies there and what a scan tells of it (`model/`), what an executor does to it, and a person. */
import assert from 'node:assert/strict'
import type { RelPath } from '../../../storage/base/index.js'
import { parentOf } from '../../../storage/base/index.js'
import { type End, mergeVersions, raiseSettings, raiseVersion } from '../../../sync/reconcile/index.js'
import { ExecutedItems } from './model/executor.js'
import type { Item } from './model/items.js'

export { type Item, path, World } from './model/items.js'

/** With what a person does by hand, which raises versions as an index does that sees it. */
export class Disk extends ExecutedItems {
  write(at: RelPath, content: string, sizeBytes = content.length, kind: 'file' | 'symlink' = 'file'): void {
    this.#ensureFree(at, 'file')
    this.#ensureParent(at)
    const old = this.items.get(at)
    const version = this.raise(at)
    const now = this.now()
    if (old !== undefined && old.kind === kind) Object.assign(old, { content, sizeBytes, mtimeNs: now, version })
    else this.add(at, { kind, content, sizeBytes, mtimeNs: now, mode: 0o644, version })
  }

  /** As editors do it: a new file takes the name. */
  save(at: RelPath, content: string, sizeBytes = content.length): void {
    const version = this.raise(at)
    this.add(at, {
      kind: 'file',
      content,
      sizeBytes,
      mtimeNs: this.now(),
      mode: 0o644,
      version
    })
  }

  makeDirectory(at: RelPath): void {
    this.#ensureParent(at)
    this.add(at, { kind: 'directory', mode: 0o755, version: this.raise(at) })
  }

  makeUnknown(at: RelPath, reason: Item['reason']): void {
    this.#ensureParent(at)
    this.add(at, { kind: 'unknown', reason })
  }

  /** With all below it. */
  remove(at: RelPath): void {
    for (const below of this.within(at)) {
      this.tombs.set(below, raiseVersion(this.items.get(below)!.version, this.replica, this.world.next()))
      this.items.delete(below)
    }
    this.touch(parentOf(at))
  }

  move(from: RelPath, to: RelPath): void {
    const moved = this.within(from).map(p => [p, (to + p.slice(from.length)) as RelPath, this.items.get(p)!] as const)
    for (const [p, , item] of moved) {
      // Where nothing proves that it is the same thing, it went there and came here.
      if (!this.keepsIdentity) this.tombs.set(p, raiseVersion(item.version, this.replica, this.world.next()))
      this.items.delete(p)
    }
    for (const [, p, item] of moved) {
      if (!this.keepsIdentity) item.version = this.raise(p)
      // What takes a name has seen what was there.
      else item.version = mergeVersions(item.version, this.tombs.get(p))
      this.items.set(p, item)
      this.tombs.delete(p)
    }
    const top = this.items.get(to)!
    if (this.keepsIdentity) top.version = raiseVersion(top.version, this.replica, this.world.next())
    this.touch(parentOf(from))
    this.touch(parentOf(to))
  }

  swap(a: RelPath, b: RelPath): void {
    const aside = `${a}~~` as RelPath
    this.move(a, aside)
    this.move(b, a)
    this.move(aside, b)
  }

  change(at: RelPath, how: { mode?: number; mtimeNs?: bigint }): void {
    const item = this.items.get(at)!
    Object.assign(item, how, { version: raiseSettings(item.version, this.replica, this.world.next()) })
  }

  copy(): Disk {
    const disk = new Disk(this.world, this.replica, this.keepsIdentity, this.fold)
    for (const [p, item] of this.items) disk.items.set(p, { ...item })
    for (const [p, v] of this.tombs) disk.tombs.set(p, v)
    for (const v of this.versions) disk.versions.add(v)
    for (const inode of this.veiled) disk.veiled.add(inode)
    disk.ignores = this.ignores
    return disk
  }

  restore(from: Disk): void {
    this.items.clear()
    this.tombs.clear()
    for (const [p, item] of from.items) this.items.set(p, { ...item })
    for (const [p, v] of from.tombs) this.tombs.set(p, v)
    for (const v of from.versions) this.versions.add(v)
  }

  #ensureParent(at: RelPath): void {
    const parent = parentOf(at)
    if (parent === '' || this.items.get(parent)?.kind === 'directory') return
    assert.ok(!this.items.has(parent), `${parent} is no directory`)
    this.makeDirectory(parent)
  }

  #ensureFree(at: RelPath, kind: string): void {
    const there = this.items.get(at)
    assert.ok(there === undefined || (there.kind !== 'directory' && there.kind !== 'unknown'), `${kind} over ${at}`)
  }
}

export type Ends = Record<End, Disk>
