/**
 * A disk in memory: names, inodes and times as a POSIX file system keeps them. Nothing of the product is in it but the words for what goes
 * wrong; the real ends are compared with what stands on it.
 */
import { displayPath, nameOf, parentOf, type RelPath, ROOT, SpacedriveError } from '../../../../storage/base/index.js'
import type { EntryStat } from '../../../../storage/files/index.js'
import { MemoryContent } from './content.js'

type Kind = EntryStat['kind']

export interface MemoryNode {
  readonly kind: Kind
  readonly inode: bigint
  readonly birthNs: bigint
  readonly content: MemoryContent
  readonly children: Map<string, MemoryNode>
  target: string
  mode: number
  mtimeNs: bigint
  ctimeNs: bigint
  links: number
  /** Of a directory: neither it nor what is in it can be looked at. */
  locked: boolean
}

/** A name in a directory that is there; the name itself may not be. */
export interface MemoryPlace {
  readonly dir: MemoryNode
  readonly name: string
  readonly path: RelPath
}

const MODES: Readonly<Record<Kind, number>> = { file: 0o644, directory: 0o755, symlink: 0o777, other: 0o644 }
const NS_PER_MS = 1_000_000n

export class MemoryDisk {
  readonly #nowNs: () => bigint
  /** Inodes of what is gone are given to what comes next, as file systems do. */
  #free: bigint[] = []
  #inode = 10n
  #lastNs = 0n

  /** @param nowNs - left out: the time that it is. Each change has a time of its own, whatever the clock says. */
  constructor(nowNs = (): bigint => BigInt(Date.now()) * NS_PER_MS) {
    this.#nowNs = nowNs
  }

  tick(): bigint {
    const now = this.#nowNs()
    this.#lastNs = now > this.#lastNs ? now : this.#lastNs + 1n
    return this.#lastNs
  }

  make(kind: Kind, init: Partial<Pick<MemoryNode, 'content' | 'target' | 'mode'>> = {}): MemoryNode {
    const now = this.tick()
    return {
      ...{ kind, inode: this.#free.pop() ?? this.#inode++, birthNs: now, mtimeNs: now, ctimeNs: now, links: 0 },
      ...{ content: init.content ?? new MemoryContent(), children: new Map(), target: init.target ?? '' },
      ...{ mode: init.mode ?? MODES[kind], locked: false }
    }
  }

  /** Something gets a name. @throws EXISTS */
  put({ dir, name, path }: MemoryPlace, node: MemoryNode): void {
    if (dir.children.has(name)) throw failed('EXISTS', path, 'something stands there already')
    dir.children.set(name, node)
    node.links++
    node.ctimeNs = dir.mtimeNs = dir.ctimeNs = this.tick()
  }

  /** Something loses a name, and may get another. @throws MISSING */
  take({ dir, name, path }: MemoryPlace): MemoryNode {
    const node = dir.children.get(name)
    if (node === undefined) throw failed('MISSING', path, 'it is not there')
    dir.children.delete(name)
    node.links--
    node.ctimeNs = dir.mtimeNs = dir.ctimeNs = this.tick()
    return node
  }

  /** What has no name any more is gone, with all in it. */
  drop(node: MemoryNode): void {
    if (node.links > 0) return
    for (const child of node.children.values()) {
      child.links--
      this.drop(child)
    }
    this.#free.push(node.inode)
  }

  /** Somebody wrote to a file. */
  changed(node: MemoryNode): void {
    node.mtimeNs = node.ctimeNs = this.tick()
  }

  setMode(node: MemoryNode, mode: number): void {
    node.mode = mode
    node.ctimeNs = this.tick()
  }

  setTime(node: MemoryNode, mtimeNs: bigint): void {
    node.mtimeNs = mtimeNs
    node.ctimeNs = this.tick()
  }

  /** What no name leads to any more may come back: its inode is not another's by then. */
  inodes(): readonly bigint[] {
    return [...this.#free]
  }

  setInodes(free: readonly bigint[]): void {
    this.#free = [...free]
  }
}

export function statOf(node: MemoryNode): EntryStat {
  const { kind, mtimeNs, ctimeNs, birthNs, inode, mode, links } = node
  const { sizeBytes, allocatedBytes } = node.content
  const length = kind === 'symlink' ? Buffer.byteLength(node.target) : sizeBytes
  return {
    ...{ kind, sizeBytes: length, mtimeNs, ctimeNs, birthNs, inode, mode, links, allocatedBytes },
    ...{ device: 1n, mount: 1n, uid: 0, gid: 0 }
  }
}

/** A directory beneath another. @throws MISSING, LINK_IN_PATH, NO_PERMISSION */
export function directoryAt(base: MemoryNode, path: RelPath, asked: RelPath = path): MemoryNode {
  if (path === ROOT) return entered(base, asked)
  const node = directoryAt(base, parentOf(path), asked).children.get(nameOf(path))
  if (node === undefined) throw failed('MISSING', asked, 'it is not there')
  if (node.kind !== 'directory') throw failed('LINK_IN_PATH', asked, 'something else stands where a directory should')
  return entered(node, asked)
}

function entered(node: MemoryNode, asked: RelPath): MemoryNode {
  if (node.locked) throw failed('NO_PERMISSION', asked, 'permission denied')
  return node
}

/** @throws MISSING, LINK_IN_PATH, NO_PERMISSION: of its directory */
export const placeAt = (base: MemoryNode, path: RelPath): MemoryPlace => ({
  ...{ dir: directoryAt(base, parentOf(path), path), name: nameOf(path), path }
})

/** What is at a path, not followed; undefined where nothing is, nor a directory for it. @throws LINK_IN_PATH, NO_PERMISSION */
export function nodeAt(base: MemoryNode, path: RelPath): MemoryNode | undefined {
  if (path === ROOT) return base
  try {
    return directoryAt(base, parentOf(path), path).children.get(nameOf(path))
  } catch (err) {
    if (err instanceof SpacedriveError && err.code === 'MISSING') return undefined
    throw err
  }
}

export const failed = (code: string, path: RelPath, why: string): SpacedriveError =>
  new SpacedriveError(code, `could not use ${displayPath(path)}: ${why}`)
