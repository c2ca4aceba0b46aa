/** What lies on a disk of the model: items by path, what the index remembers of deleted ones, and what went to versions. */
import type { RelPath } from '../../../../storage/base/index.js'
import { parentOf } from '../../../../storage/base/index.js'
import { raiseVersion, type Trace, type Version } from '../../../../sync/reconcile/index.js'

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

/** Items and the small changes of which all others are made. */
export class Items {
  readonly items = new Map<RelPath, Item>()
  readonly tombs = new Map<RelPath, Version>()
  readonly versions = new Set<string>()
  /** How far off its clock is. */
  skewSeconds = 0

  constructor(
    readonly world: World,
    public replica: string,
    readonly keepsIdentity = true,
    readonly fold: (name: string) => string = name => name
  ) {}

  within(top: RelPath): RelPath[] {
    return [...this.items.keys()].filter(p => p === top || p.startsWith(`${top}/`)).sort()
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

  trace(at: RelPath): Trace {
    const item = this.items.get(at)!
    const identity = this.keepsIdentity ? { identity: { inode: item.inode, birthNs: item.inode } } : {}
    return { mtimeNs: item.mtimeNs, mode: item.mode, ...identity }
  }

  protected add(at: RelPath, fields: Partial<Item>): Trace {
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
    this.touch(parentOf(at))
    return this.trace(at)
  }

  protected touch(at: RelPath): void {
    const item = this.items.get(at)
    if (item !== undefined) item.mtimeNs = this.now()
  }

  protected now(): bigint {
    return BigInt(this.world.next() + this.skewSeconds) * 1_000_000_000n
  }

  protected raise(at: RelPath): Version {
    return raiseVersion(this.items.get(at)?.version ?? this.tombs.get(at), this.replica, this.world.next())
  }
}
