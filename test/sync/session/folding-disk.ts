/**
 * A simulated disk of which one end is a file system that holds less than ours: names that differ only in case or Unicode form
 * are one, times are coarse, links and modes are missing. It refuses and answers as the real ones do; what it can do the code finds
 * out by trying, as it does there. So the rules are tried where no driver for such a file system is.
 */
import type { DirHandle, EntryStat, RenameHow } from '../../../storage/files/index.js'
import type { End } from '../../../sync/reconcile/index.js'
import type { Inode } from '../../storage/files/simulated-image.js'
import { error } from '../../storage/files/simulated-state.js'
import { SyncDisk } from './power-cut-disk.js'

export interface Holding {
  /** Magic number. */
  readonly type: number
  readonly foldsCase: boolean
  readonly foldsUnicode: boolean
  readonly timeStepNs: bigint
  readonly links: boolean
  readonly modes: boolean
  /** Inodes and times of birth are kept, names exchanged, odd bytes and all characters held. */
  readonly posix: boolean
}

/** As Linux mounts it. */
export const VFAT: Holding = {
  ...{ type: 0x4d44, foldsCase: true, foldsUnicode: false, timeStepNs: 2_000_000_000n },
  ...{ links: false, modes: false, posix: false }
}
/** ext4 with `casefold`, in a directory with `+F`. */
export const CASEFOLD: Holding = {
  ...{ type: 0xef53, foldsCase: true, foldsUnicode: true, timeStepNs: 1n, links: true, modes: true, posix: true }
}
/** A disk that folds Unicode forms alone, with times in microseconds. */
export const FORMS: Holding = {
  ...{ type: 0x482b, foldsCase: false, foldsUnicode: true, timeStepNs: 1_000n, links: true, modes: true, posix: true }
}

const REFUSED = /["*:<>?\\|]|[. ]$/
const SHOWN_MODE = 0o755

export class FoldingDisk extends SyncDisk {
  readonly #end: End
  readonly #holds: Holding
  /** Inodes on that file system. */
  readonly #there = new Set<number>()

  constructor(end: End, holds: Holding) {
    super({ exchange: true }, false)
    this.#end = end
    this.#holds = holds
    const top = this.openRoot('/')
    for (const name of ['source', 'destination']) this.makeDir(top, name, 0o755)
    this.#there.add(this.find(top, end).number)
    this.close(top)
  }

  /** Another name for what stands there, over a third one, as a person gives it. */
  renameAt(end: End, from: string, to: string): void {
    const dir = this.openRoot(`/${end}`)
    this.rename(dir, from, dir, 'aside', 'replace')
    this.rename(dir, 'aside', dir, to, 'replace')
    this.close(dir)
  }

  /** Of a file or link right below an end. */
  lookAt(end: End, name: string): EntryStat {
    const dir = this.openRoot(`/${end}`)
    const stat = this.lstat(dir, name)
    this.close(dir)
    return stat
  }

  /** How the names at an end are told apart. */
  key(name: string): string {
    const { foldsCase, foldsUnicode } = this.#holds
    const form = foldsUnicode ? name.normalize('NFD') : name
    return foldsCase ? form.toLowerCase() : form
  }

  protected override find(dir: DirHandle, name: string): Inode {
    return super.find(dir, this.#as(this.dir(dir), name))
  }

  protected override enter(dir: Inode, name: string): Inode {
    return super.enter(dir, this.#as(dir, name))
  }

  protected override linkInode(dir: Inode, name: string, inode: Inode): void {
    this.#ensureHeld(dir, name)
    if (this.#as(dir, name) !== name) throw error('EEXIST', name)
    if (this.#there.has(dir.number)) this.#there.add(inode.number)
    super.linkInode(dir, name, inode)
  }

  protected override unlinkInode(dir: Inode, name: string, inode: Inode, alsoKeys?: readonly string[]): void {
    super.unlinkInode(dir, this.#as(dir, name), inode, alsoKeys)
  }

  override rename(from: DirHandle, name: string, to: DirHandle, toName: string, how: RenameHow): void {
    const target = this.dir(to)
    if (how === 'exchange' && this.#there.has(target.number) && !this.#holds.posix) throw error('EINVAL', name)
    this.#ensureHeld(target, toName)
    const there = this.#as(target, toName)
    if (there !== toName && target.entries.get(there) === this.find(from, name).number) {
      // The kernel: both are one file, so nothing is to be done.
      if (how === 'noreplace') throw error('EEXIST', toName)
      return
    }
    super.rename(from, this.#as(this.dir(from), name), to, there, how)
  }

  override link(from: DirHandle, name: string, to: DirHandle, toName: string): void {
    this.#ensureLinks(to, toName)
    super.link(from, this.#as(this.dir(from), name), to, toName)
  }

  override symlink(target: string, dir: DirHandle, name: string): void {
    this.#ensureLinks(dir, name)
    super.symlink(target, dir, name)
  }

  override space(dir: DirHandle) {
    const space = super.space(dir)
    return this.#there.has(this.dir(dir).number) ? { ...space, type: this.#holds.type } : space
  }

  protected override statOf(inode: Inode): EntryStat {
    const stat = super.statOf(inode)
    if (!this.#there.has(inode.number)) return stat
    const { timeStepNs, modes, posix } = this.#holds
    return {
      ...stat,
      ...{ device: 2n, mount: 2n, mtimeNs: stat.mtimeNs - (stat.mtimeNs % timeStepNs) },
      ...(!modes && { mode: SHOWN_MODE }),
      ...(!posix && { birthNs: 0n })
    }
  }

  /** The name that a name finds there. */
  #as(dir: Inode, name: string): string {
    if (!this.#there.has(dir.number) || dir.entries.has(name)) return name
    return [...dir.entries.keys()].find(other => this.key(other) === this.key(name)) ?? name
  }

  #ensureHeld(dir: Inode, name: string): void {
    if (
      this.#there.has(dir.number) &&
      !this.#holds.posix &&
      (REFUSED.test(name) || Buffer.from(name).toString() !== name)
    )
      throw error('EINVAL', name)
  }

  #ensureLinks(dir: DirHandle, name: string): void {
    if (this.#there.has(this.dir(dir).number) && !this.#holds.links) throw error('EPERM', `${name} at the ${this.#end}`)
  }
}
