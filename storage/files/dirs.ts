import { hasCode, nameOf, parentOf, type RelPath, SpacedriveError } from '../base/index.js'
import type { DirHandle, Disk } from './disk.js'

/** Open directories kept for the next name in them. Several threads do, and 1,024 descriptors is a usual limit. */
const MAX_OPEN = 64

/**
 * Directories beneath one that is open, reached without following links, the last few kept open. A handle it gives is good
 * until two others were asked for.
 */
export class Dirs {
  readonly #disk: Disk
  readonly #base: DirHandle
  readonly #device: bigint | undefined
  readonly #open = new Map<string, { readonly dir: DirHandle; readonly inode: bigint }>()

  /** @param device - what is mounted from another one is refused: OTHER_FILE_SYSTEM; undefined: only read, so wherever it lies */
  constructor(disk: Disk, base: DirHandle, device: bigint | undefined) {
    this.#disk = disk
    this.#base = base
    this.#device = device
  }

  /** @throws ENOENT, ELOOP, ENOTDIR, OTHER_FILE_SYSTEM */
  open(rel: RelPath): DirHandle {
    if (rel === '') return this.#base
    const known = this.#open.get(rel)
    if (known !== undefined) {
      this.#open.delete(rel)
      this.#open.set(rel, known)
      return known.dir
    }
    const dir = this.#disk.openDir(this.#base, rel)
    const { device, inode } = this.#disk.stat(dir)
    if (this.#device !== undefined && device !== this.#device) {
      this.#disk.close(dir)
      throw new SpacedriveError('OTHER_FILE_SYSTEM', `${dir.path} lies on another file system than its root`, {
        hint: 'Use it as a folder of its own.'
      })
    }
    this.#open.set(rel, { dir, inode })
    if (this.#open.size > MAX_OPEN) this.#evict()
    return dir
  }

  /**
   * Opens it, making what is missing of it (private, mode 0700).
   * @param options.durable - the way there outlives a power loss before anything is put into it
   */
  make(rel: RelPath, { durable = false } = {}): DirHandle {
    try {
      return this.open(rel)
    } catch (err) {
      if (!hasCode(err, 'ENOENT')) throw err
    }
    const parent = this.make(parentOf(rel), { durable })
    try {
      this.#disk.makeDir(parent, nameOf(rel), 0o700)
    } catch (err) {
      if (!hasCode(err, 'EEXIST')) throw err // another thread was first
    }
    if (durable) this.#disk.sync(parent)
    return this.open(rel)
  }

  /**
   * Whether `rel` still leads to the directory that `open` gave. What was placed through a handle whose directory somebody
   * moved away meanwhile would lie outside.
   */
  isStill(rel: RelPath): boolean {
    const known = rel === '' ? undefined : this.#open.get(rel)
    if (known === undefined) return true
    let again: DirHandle
    try {
      again = this.#disk.openDir(this.#base, rel)
    } catch {
      return false
    }
    const same = this.#disk.stat(again).inode === known.inode
    this.#disk.close(again)
    return same
  }

  /** After a directory was moved or removed: its handle and those below it lead elsewhere. */
  forget(rel: RelPath): void {
    const below = `${rel}/`
    for (const [key, { dir }] of this.#open) {
      if (key !== rel && !key.startsWith(below)) continue
      this.#open.delete(key)
      this.#disk.close(dir)
    }
  }

  close(): void {
    for (const { dir } of this.#open.values()) this.#disk.close(dir)
    this.#open.clear()
  }

  #evict(): void {
    const [key, { dir }] = this.#open.entries().next().value!
    this.#open.delete(key)
    this.#disk.close(dir)
  }
}
