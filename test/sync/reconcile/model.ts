import assert from 'node:assert/strict'
import type { ContentHash, RelPath } from '../../../storage/base/index.js'
import { parentOf } from '../../../storage/base/index.js'
import {
  type End,
  type Entry,
  type Leaf,
  type Operation,
  type Present,
  raiseSettings,
  raiseVersion,
  sameContent,
  type Trace,
  type Version
} from '../../../sync/reconcile/index.js'

/** A thing on a disk of the model. */
export interface Item {
  kind: 'file' | 'directory' | 'symlink' | 'unknown'
  /** Of a file or link. */
  content: string
  sizeBytes: number
  mtimeNs: bigint
  mode: number
  inode: bigint
  version: Version | undefined
  reason: 'special' | 'ignored' | 'unreadable'
}

/** Counts for a whole model world, so that no two changes share a time, an inode or a counter. */
export class World {
  tick = 1000
  next(): number {
    return ++this.tick
  }
}

export const path = (text: string): RelPath => text as RelPath

/**
 * An end in memory, with the manners of a strict file system: nothing is made below what is not there, nothing is written over,
 * no directory goes that holds something. What is replaced or removed goes to `versions`, as the executor has it.
 */
export class Disk {
  readonly items = new Map<RelPath, Item>()
  readonly tombs = new Map<RelPath, Version>()
  readonly versions = new Set<string>()
  /** How far off its clock is. */
  skewSeconds = 0
  /** Inodes of what can be seen in its directory, and not be read. */
  readonly veiled = new Set<bigint>()
  /** Paths that the rules of the sync ignore, here or at the other end. */
  ignores: (at: RelPath) => boolean = () => false
  readonly #parked = new Map<number, Map<string, Item>>()

  constructor(
    readonly world: World,
    public replica: string,
    readonly keepsIdentity = true,
    readonly fold: (name: string) => string = name => name
  ) {}

  // What a person does.

  write(at: RelPath, content: string, sizeBytes = content.length, kind: 'file' | 'symlink' = 'file'): void {
    this.#ensureFree(at, 'file')
    this.#ensureParent(at)
    const old = this.items.get(at)
    const version = this.#raise(at)
    const now = this.#now()
    if (old !== undefined && old.kind === kind) Object.assign(old, { content, sizeBytes, mtimeNs: now, version })
    else this.#add(at, { kind, content, sizeBytes, mtimeNs: now, mode: 0o644, version })
  }

  /** As editors do it: a new file takes the name. */
  save(at: RelPath, content: string, sizeBytes = content.length): void {
    const version = this.#raise(at)
    this.#add(at, {
      kind: 'file',
      content,
      sizeBytes,
      mtimeNs: this.#now(),
      mode: 0o644,
      version
    })
  }

  makeDirectory(at: RelPath): void {
    this.#ensureParent(at)
    this.#add(at, { kind: 'directory', mode: 0o755, version: this.#raise(at) })
  }

  makeUnknown(at: RelPath, reason: Item['reason']): void {
    this.#ensureParent(at)
    this.#add(at, { kind: 'unknown', reason })
  }

  /** With all below it. */
  remove(at: RelPath): void {
    for (const below of this.within(at)) {
      this.tombs.set(below, raiseVersion(this.items.get(below)!.version, this.replica, this.world.next()))
      this.items.delete(below)
    }
    this.#touch(parentOf(at))
  }

  move(from: RelPath, to: RelPath): void {
    const moved = this.within(from).map(p => [p, (to + p.slice(from.length)) as RelPath, this.items.get(p)!] as const)
    for (const [p, , item] of moved) {
      // Where nothing proves that it is the same thing, it went there and came here.
      if (!this.keepsIdentity) this.tombs.set(p, raiseVersion(item.version, this.replica, this.world.next()))
      this.items.delete(p)
    }
    for (const [, p, item] of moved) {
      if (!this.keepsIdentity) item.version = this.#raise(p)
      this.items.set(p, item)
      this.tombs.delete(p)
    }
    const top = this.items.get(to)!
    if (this.keepsIdentity) top.version = raiseVersion(top.version, this.replica, this.world.next())
    this.#touch(parentOf(from))
    this.#touch(parentOf(to))
  }

  swap(a: RelPath, b: RelPath): void {
    const aside = path(`${a}~~`)
    this.move(a, aside)
    this.move(b, a)
    this.move(aside, b)
  }

  change(at: RelPath, how: { mode?: number; mtimeNs?: bigint }): void {
    const item = this.items.get(at)!
    Object.assign(item, how, { version: raiseSettings(item.version, this.replica, this.world.next()) })
  }

  within(top: RelPath): RelPath[] {
    return [...this.items.keys()].filter(p => p === top || p.startsWith(`${top}/`)).sort()
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

  // What the scan of it tells.

  entry(at: RelPath): Entry | undefined {
    return this.#entry(at, true)
  }

  /** It can be read from there: also where the rules ignore by now what a plan moved there. */
  holds(at: RelPath, leaf: Leaf): boolean {
    const there = this.#entry(at, false)
    return there?.kind === leaf.kind && sameContent(there, leaf)
  }

  #entry(at: RelPath, ruled: boolean): Entry | undefined {
    const item = this.items.get(at)
    if (item === undefined) {
      const version = this.tombs.get(at)
      return version === undefined || this.isHidden(at) || this.ignores(at) ? undefined : { kind: 'gone', version }
    }
    if (ruled && this.isHidden(at)) return undefined
    const reason = ruled ? this.unknownAs(at) : this.#unknownFor(item)
    if (reason !== undefined)
      return {
        kind: 'unknown',
        reason,
        directory: item.kind === 'unknown' ? reason !== 'special' : item.kind === 'directory'
      }
    const { mtimeNs, mode, version } = item
    const identity = this.keepsIdentity ? { identity: { inode: item.inode, birthNs: item.inode } } : {}
    const seen = { mtimeNs, mode, version, ...identity }
    if (item.kind === 'directory') return { kind: 'directory', ...seen }
    if (item.kind === 'symlink') return { kind: 'symlink', target: item.content, ...seen }
    return { kind: 'file', hash: item.content as ContentHash, sizeBytes: item.sizeBytes, ...seen }
  }

  /** Why what is there must be left alone. */
  unknownAs(at: RelPath): Item['reason'] | undefined {
    const item = this.items.get(at)
    if (item === undefined) return undefined
    return this.ignores(at) ? 'ignored' : this.#unknownFor(item)
  }

  #unknownFor(item: Item): Item['reason'] | undefined {
    return this.veiled.has(item.inode) ? 'unreadable' : item.kind === 'unknown' ? item.reason : undefined
  }

  /** Below something that was not entered, or that is not to be entered wherever it lies. */
  isHidden(at: RelPath): boolean {
    for (let p = parentOf(at); p !== ''; p = parentOf(p))
      if (this.unknownAs(p) !== undefined || this.ignores(p)) return true
    return false
  }

  /** Neither known nor absent. */
  isUnknown(at: RelPath): boolean {
    return this.items.has(at) && (this.unknownAs(at) !== undefined || this.isHidden(at))
  }

  /** Names, kinds and contents, to be compared. */
  get tree(): Record<string, string> {
    return Object.fromEntries(
      [...this.items]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([p, i]) => [
          p,
          i.kind === 'directory' ? '/' : i.kind === 'unknown' ? '?' : `${i.kind === 'symlink' ? '->' : ''}${i.content}`
        ])
    )
  }

  get contents(): Set<string> {
    return new Set([...this.items.values()].filter(i => i.kind === 'file' || i.kind === 'symlink').map(i => i.content))
  }

  // What an executor does.

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
        return this.#add(op.path, { kind: 'directory', mode: op.mode, mtimeNs: op.mtimeNs, version: op.version })
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
        item.version = op.version
        return this.trace(op.path)
      }
    }
  }

  get parked(): number {
    return this.#parked.size
  }

  trace(at: RelPath): Trace {
    const item = this.items.get(at)!
    const identity = this.keepsIdentity ? { identity: { inode: item.inode, birthNs: item.inode } } : {}
    return { mtimeNs: item.mtimeNs, mode: item.mode, ...identity }
  }

  #take(top: RelPath): Map<string, Item> {
    const tree = new Map(this.within(top).map(p => [p.slice(top.length), this.items.get(p)!]))
    for (const p of this.within(top)) this.items.delete(p)
    this.#touch(parentOf(top))
    return tree
  }

  #settleTree(tree: Map<string, Item>, to: RelPath, version: Version | undefined): Trace {
    for (const [below, item] of tree) this.items.set((to + below) as RelPath, item)
    const top = this.items.get(to)!
    if (version !== undefined) top.version = version
    this.#touch(parentOf(to))
    return this.trace(to)
  }

  #put(
    at: RelPath,
    leaf: Leaf,
    { mode, mtimeNs, version }: { mode: number; mtimeNs: bigint; version?: Version }
  ): Trace {
    const content =
      leaf.kind === 'file' ? { content: leaf.hash as string, sizeBytes: leaf.sizeBytes } : { content: leaf.target }
    return this.#add(at, { kind: leaf.kind, ...content, mode, mtimeNs, version })
  }

  #gone(at: RelPath, version: Version | undefined): Trace {
    this.items.delete(at)
    if (version !== undefined) this.tombs.set(at, version)
    this.#touch(parentOf(at))
    return { mtimeNs: 0n, mode: 0 }
  }

  #add(at: RelPath, fields: Partial<Item>): Trace {
    const inode = BigInt(this.world.next())
    const mtimeNs = BigInt(this.world.tick + this.skewSeconds) * 1_000_000_000n
    this.items.set(at, {
      kind: 'file',
      content: '',
      sizeBytes: 0,
      mtimeNs,
      mode: 0o644,
      inode,
      version: undefined,
      reason: 'special',
      ...fields
    })
    this.tombs.delete(at)
    this.#touch(parentOf(at))
    return this.trace(at)
  }

  #touch(at: RelPath): void {
    const item = this.items.get(at)
    if (item !== undefined) item.mtimeNs = this.#now()
  }

  #now(): bigint {
    return BigInt(this.world.next() + this.skewSeconds) * 1_000_000_000n
  }

  #raise(at: RelPath): Version {
    return raiseVersion(this.items.get(at)?.version ?? this.tombs.get(at), this.replica, this.world.next())
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

  #free(at: RelPath): void {
    const parent = parentOf(at)
    assert.ok(parent === '' || this.items.get(parent)?.kind === 'directory', `no directory for ${at}`)
    const alike = [...this.items.keys()].find(p => this.fold(p) === this.fold(at))
    assert.equal(alike, undefined, `something stands at ${at}`)
  }

  #expect(at: RelPath, expected: Present): void {
    // Something known may lie where the rules ignore while a plan is under way.
    const entry = this.#entry(at, false)
    assert.ok(entry !== undefined && entry.kind !== 'gone' && entry.kind !== 'unknown', `nothing known at ${at}`)
    assert.ok(sameContent(entry, expected), `something else than expected at ${at}`)
  }
}

export type Ends = Record<End, Disk>
