/** What a scan of a disk of the model tells. */
import type { ContentHash, RelPath } from '../../../../storage/base/index.js'
import { parentOf } from '../../../../storage/base/index.js'
import { type Entry, type Leaf, sameContent } from '../../../../sync/reconcile/index.js'
import { type Item, Items } from './items.js'

export class ScannedItems extends Items {
  /** Inodes of what can be seen in its directory, and not be read. */
  readonly veiled = new Set<bigint>()
  /** Paths that the rules of the sync ignore, here or at the other end. */
  ignores: (at: RelPath) => boolean = () => false

  entry(at: RelPath): Entry | undefined {
    return this.entryOf(at, true)
  }

  /** It can be read from there: also where the rules ignore by now what a plan moved there. */
  holds(at: RelPath, leaf: Leaf): boolean {
    const there = this.entryOf(at, false)
    return there?.kind === leaf.kind && sameContent(there, leaf)
  }

  protected entryOf(at: RelPath, ruled: boolean): Entry | undefined {
    const item = this.items.get(at)
    if (item === undefined) {
      const version = this.tombs.get(at)
      return version === undefined || this.isHidden(at) || this.ignores(at) ? undefined : { kind: 'gone', version }
    }
    if (ruled && this.isHidden(at)) return undefined
    const reason = ruled ? this.unknownAs(at) : this.unknownFor(item)
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
    return this.ignores(at) ? 'ignored' : this.unknownFor(item)
  }

  protected unknownFor(item: Item): Item['reason'] | undefined {
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
}
