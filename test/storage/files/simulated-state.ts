import type { DirHandle, EntryKind, EntryStat } from '../../../storage/files/index.js'
import { copyInode, type Image, type Inode, keyOf, type NameChange, settle } from './simulated-image.js'

/** What a simulated disk holds: what programs see, what is durable, and what has yet to become so. */
export class SimulatedState {
  protected live: Image = new Map()
  protected durable: Image = new Map()
  protected pending: NameChange[] = []
  protected readonly handles = new Map<number, number>()
  protected nextNumber = 100
  protected nowNs = 1_000_000_000_000n
  /** Operations so far, reads left out; a cut comes before the one with this number. */
  operations = 0
  cutAt = Number.POSITIVE_INFINITY

  protected count(): void {
    if (this.operations++ >= this.cutAt) throw new Error('the power is gone')
  }

  protected change(change: NameChange): void {
    change.apply(this.live)
    this.pending.push(change)
  }

  protected settleNames(wanted: (change: NameChange) => boolean): void {
    this.pending = settle(this.durable, this.pending, wanted)
  }

  /** What a sync of this inode keeps: content and attributes, not names. */
  protected keep(inode: Inode): void {
    const old = this.durable.get(inode.number)!
    Object.assign(old, {
      data: Buffer.from(inode.data),
      mode: inode.mode,
      mtimeNs: inode.mtimeNs,
      ctimeNs: inode.ctimeNs
    })
  }

  protected makeInode(kind: EntryKind, mode: number, number = this.nextNumber++): Inode {
    const now = this.tick()
    const inode: Inode = {
      number,
      kind,
      mode,
      data: Buffer.alloc(0),
      target: '',
      entries: new Map(),
      birthNs: now,
      mtimeNs: now,
      ctimeNs: now
    }
    this.live.set(number, inode)
    // Its number is reserved; without a durable name nobody finds it after a cut.
    this.durable.set(number, copyInode(inode))
    return inode
  }

  protected linkInode(dir: Inode, name: string, inode: Inode): void {
    if (Buffer.byteLength(name) > 255) throw error('ENAMETOOLONG', name)
    if (dir.entries.has(name)) throw error('EEXIST', name)
    const [parent, number] = [dir.number, inode.number]
    const { target } = inode
    this.change({
      keys: [keyOf(parent, name), `#${number}`],
      apply(image) {
        image.get(parent)?.entries.set(name, number)
        const named = image.get(number)
        if (named !== undefined) named.target = target
      }
    })
    dir.mtimeNs = inode.ctimeNs = this.tick()
  }

  protected unlinkInode(dir: Inode, name: string, inode: Inode, alsoKeys: readonly string[] = []): void {
    const parent = dir.number
    this.change({
      keys: [keyOf(parent, name), `#${inode.number}`, ...alsoKeys],
      apply: image => void image.get(parent)?.entries.delete(name)
    })
    dir.mtimeNs = this.tick()
  }

  protected statOf(inode: Inode): EntryStat {
    const { kind, mode, mtimeNs, ctimeNs, birthNs, number } = inode
    const sizeBytes = kind === 'symlink' ? inode.target.length : inode.data.length
    return {
      kind,
      mode,
      mtimeNs,
      ctimeNs,
      birthNs,
      sizeBytes,
      inode: BigInt(number),
      device: 1n,
      mount: 1n,
      links: this.linksOf(number),
      uid: process.geteuid!()
    }
  }

  /** Names that it has; 1 for what has none or is a directory. */
  private linksOf(number: number): number {
    if (this.live.get(number)?.kind === 'directory') return 1
    let names = 0
    for (const { entries } of this.live.values()) for (const other of entries.values()) if (other === number) names++
    return Math.max(1, names)
  }

  protected tick(): bigint {
    this.nowNs += 1_000_003n
    return this.nowNs
  }

  protected newHandle(inode: Inode, path: string): DirHandle {
    const fd = this.nextNumber++
    this.handles.set(fd, inode.number)
    return { fd, path }
  }

  protected of(fd: number): Inode {
    const number = this.handles.get(fd)
    if (number === undefined) throw error('EBADF', String(fd))
    return this.inode(number)
  }

  protected dir(handle: DirHandle): Inode {
    return this.of(handle.fd)
  }

  protected inode(number: number): Inode {
    return this.live.get(number)!
  }

  protected find(dir: DirHandle, name: string): Inode {
    const number = this.dir(dir).entries.get(name)
    if (number === undefined) throw error('ENOENT', name)
    return this.inode(number)
  }

  protected enter(dir: Inode, name: string): Inode {
    const number = dir.entries.get(name)
    if (number === undefined) throw error('ENOENT', name)
    const inode = this.inode(number)
    if (inode.kind === 'symlink') throw error('ELOOP', name)
    if (inode.kind !== 'directory') throw error('ENOTDIR', name)
    return inode
  }
}

export const error = (code: string, what: string): Error => Object.assign(new Error(`${code}: ${what}`), { code })
