import type { DirHandle, Disk, EntryStat, RenameHow } from '../../../storage/files/index.js'
import { copyInode, keyOf, survive, tear } from './simulated-image.js'
import { error, SimulatedState } from './simulated-state.js'

export interface SimulatedDiskInit {
  /** What it can do; everything unless told. */
  readonly exchange?: boolean
  readonly noReplace?: boolean
  readonly syncAll?: boolean
}

const ROOT_INODE = 1
/** ext4, so that one sync of the whole is trusted; or something unknown. */
const KNOWN = 0xef53
const UNKNOWN = 0x1234

/**
 * A disk in memory that keeps over a power cut what was synced, and of the rest what it likes, as a journalled disk may:
 * content of files torn by pages, changes of names in any order that does not break what rests on them. More than any real
 * one allows itself: syncing a file says nothing of its name, and directories are independent of each other.
 */
export class SimulatedDisk extends SimulatedState implements Disk {
  readonly syncAllReports: boolean
  readonly #init: SimulatedDiskInit
  constructor(init: SimulatedDiskInit = {}) {
    super()
    this.#init = init
    this.syncAllReports = init.syncAll ?? true
    const root = this.makeInode('directory', 0o755, ROOT_INODE)
    this.durable.set(ROOT_INODE, copyInode(root))
  }

  /** The power goes and comes back. @param random - decides what survives */
  powerCut(random: () => number): void {
    survive(this.durable, this.pending, () => random() < 0.5)
    for (const [number, inode] of this.live) {
      const old = this.durable.get(number)
      if (old === undefined) continue
      old.data = tear(old.data, inode.data, random)
      if (random() < 0.5) Object.assign(old, { mode: inode.mode, mtimeNs: inode.mtimeNs })
    }
    this.pending = []
    this.handles.clear()
    this.live = new Map([...this.durable].map(([number, inode]) => [number, copyInode(inode)]))
    this.cutAt = Number.POSITIVE_INFINITY
  }

  openRoot(path: string): DirHandle {
    let inode = this.inode(ROOT_INODE)
    for (const name of path.split('/').filter(Boolean)) inode = this.enter(inode, name)
    return this.newHandle(inode, path)
  }

  openDir(dir: DirHandle, rel: string): DirHandle {
    let inode = this.dir(dir)
    for (const name of rel.split('/').filter(Boolean)) inode = this.enter(inode, name)
    return this.newHandle(inode, rel === '' ? dir.path : `${dir.path}/${rel}`)
  }

  open(dir: DirHandle, name: string, how: 'read' | 'write' | 'create', mode = 0o600): number {
    if (how === 'create') {
      this.count()
      const inode = this.makeInode('file', mode)
      this.linkInode(this.dir(dir), name, inode)
      return this.newHandle(inode, name).fd
    }
    const inode = this.find(dir, name)
    if (inode.kind === 'symlink') throw error('ELOOP', name)
    return this.newHandle(inode, name).fd
  }

  close(handle: DirHandle | number): void {
    if (!this.handles.delete(typeof handle === 'number' ? handle : handle.fd)) throw error('EBADF', 'close')
  }

  read(fd: number, into: Uint8Array, position: number): number {
    return this.of(fd).data.copy(into, 0, position, position + into.length)
  }

  write(fd: number, bytes: Uint8Array, position: number): void {
    this.count()
    const inode = this.of(fd)
    if (inode.data.length < position + bytes.length) {
      inode.data = Buffer.concat([inode.data, Buffer.alloc(position + bytes.length - inode.data.length)])
    }
    inode.data.set(bytes, position)
    inode.mtimeNs = inode.ctimeNs = this.tick()
  }

  truncate(fd: number, sizeBytes: number): void {
    this.count()
    const inode = this.of(fd)
    inode.data = Buffer.concat([
      inode.data.subarray(0, sizeBytes),
      Buffer.alloc(Math.max(0, sizeBytes - inode.data.length))
    ])
    inode.mtimeNs = inode.ctimeNs = this.tick()
  }

  sync(handle: DirHandle | number): void {
    this.count()
    const inode = this.of(typeof handle === 'number' ? handle : handle.fd)
    if (inode.kind === 'directory') {
      this.settleNames(change => change.keys.some(key => key.startsWith(`${inode.number}/`)))
    }
    this.keep(inode)
  }

  syncAll(_dir: DirHandle): void {
    if (!this.syncAllReports) throw error('ENOSYS', 'syncfs')
    this.count()
    this.settleNames(() => true)
    for (const inode of this.live.values()) this.keep(inode)
  }

  canWrite(dir: DirHandle): boolean {
    return (this.dir(dir).mode & 0o200) !== 0
  }

  stat(handle: DirHandle | number): EntryStat {
    return this.statOf(this.of(typeof handle === 'number' ? handle : handle.fd))
  }

  lstat(dir: DirHandle, name: string): EntryStat {
    return this.statOf(this.find(dir, name))
  }

  list(dir: DirHandle): string[] {
    return [...this.dir(dir).entries.keys()]
  }

  makeDir(dir: DirHandle, name: string, mode: number): void {
    this.count()
    this.linkInode(this.dir(dir), name, this.makeInode('directory', mode))
  }

  removeDir(dir: DirHandle, name: string): void {
    this.count()
    const inode = this.find(dir, name)
    if (inode.kind !== 'directory') throw error('ENOTDIR', name)
    if (inode.entries.size > 0) throw error('ENOTEMPTY', name)
    // It can only go once everything that was in it is gone.
    this.unlinkInode(
      this.dir(dir),
      name,
      inode,
      this.pending.flatMap(c => c.keys).filter(k => k.startsWith(`${inode.number}/`))
    )
  }

  unlink(dir: DirHandle, name: string): void {
    this.count()
    const inode = this.find(dir, name)
    if (inode.kind === 'directory') throw error('EISDIR', name)
    this.unlinkInode(this.dir(dir), name, inode)
  }

  rename(from: DirHandle, name: string, to: DirHandle, toName: string, how: RenameHow): void {
    if (how === 'exchange' && this.#init.exchange === false) throw error('EINVAL', name)
    if (how === 'noreplace' && this.#init.noReplace === false) throw error('EINVAL', name)
    this.count()
    const [a, b] = [this.dir(from), this.dir(to)]
    const moved = this.find(from, name)
    const there = b.entries.get(toName)
    if (how === 'noreplace' && there !== undefined) throw error('EEXIST', toName)
    if (how === 'exchange' && there === undefined) throw error('ENOENT', toName)
    if (how === 'replace' && there !== undefined) {
      const old = this.inode(there)
      if (old.kind === 'directory' && (moved.kind !== 'directory' || old.entries.size > 0))
        throw error('ENOTEMPTY', toName)
      if (old.kind !== 'directory' && moved.kind === 'directory') throw error('ENOTDIR', toName)
    }
    const [source, target, number] = [a.number, b.number, moved.number]
    this.change({
      keys: [keyOf(source, name), keyOf(target, toName), `#${number}`, ...(there === undefined ? [] : [`#${there}`])],
      apply(image) {
        image.get(source)?.entries.delete(name)
        if (how === 'exchange') image.get(source)?.entries.set(name, there!)
        image.get(target)?.entries.set(toName, number)
      }
    })
    a.mtimeNs = b.mtimeNs = moved.ctimeNs = this.tick()
  }

  link(from: DirHandle, name: string, to: DirHandle, toName: string): void {
    this.count()
    const inode = this.find(from, name)
    if (inode.kind === 'directory') throw error('EPERM', name)
    this.linkInode(this.dir(to), toName, inode)
  }

  symlink(target: string, dir: DirHandle, name: string): void {
    this.count()
    const inode = this.makeInode('symlink', 0o777)
    inode.target = target
    this.linkInode(this.dir(dir), name, inode)
  }

  readlink(dir: DirHandle, name: string): string {
    return this.find(dir, name).target
  }

  setMtime(handle: DirHandle | number, mtimeNs: bigint): void {
    this.count()
    const inode = this.of(typeof handle === 'number' ? handle : handle.fd)
    Object.assign(inode, { mtimeNs, ctimeNs: this.tick() })
  }

  setLinkMtime(dir: DirHandle, name: string, mtimeNs: bigint): void {
    this.count()
    Object.assign(this.find(dir, name), { mtimeNs, ctimeNs: this.tick() })
  }

  setMode(handle: DirHandle | number, mode: number): void {
    this.count()
    Object.assign(this.of(typeof handle === 'number' ? handle : handle.fd), { mode, ctimeNs: this.tick() })
  }

  setDirMode(dir: DirHandle, name: string, mode: number): void {
    this.count()
    Object.assign(this.find(dir, name), { mode, ctimeNs: this.tick() })
  }

  space(_dir: DirHandle): { freeBytes: number; totalBytes: number; type: number } {
    return { freeBytes: 2 ** 40, totalBytes: 2 ** 41, type: this.syncAllReports ? KNOWN : UNKNOWN }
  }
}
