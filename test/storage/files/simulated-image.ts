/** The image of a simulated disk: inodes, and changes of names that wait to become durable. */
import type { EntryKind } from '../../../storage/files/index.js'

export interface Inode {
  readonly number: number
  readonly kind: EntryKind
  readonly birthNs: bigint
  data: Buffer
  target: string
  readonly entries: Map<string, number>
  mode: number
  mtimeNs: bigint
  ctimeNs: bigint
}

export type Image = Map<number, Inode>

/** One change of names: atomic, and durable only together with those before it that touch the same names or inodes. */
export interface NameChange {
  readonly keys: readonly string[]
  apply(image: Image): void
}

export const keyOf = (dir: number, name: string): string => `${dir}/${name}`

export function copyInode(inode: Inode): Inode {
  return { ...inode, data: Buffer.from(inode.data), entries: new Map(inode.entries) }
}

/** Applies to `image` the pending changes that `wanted` names, and whatever of the earlier ones they rest on. */
export function settle(image: Image, pending: NameChange[], wanted: (change: NameChange) => boolean): NameChange[] {
  const keys = new Set<string>()
  const chosen = new Set<NameChange>()
  for (const change of [...pending].reverse()) {
    if (!wanted(change) && !change.keys.some(key => keys.has(key))) continue
    chosen.add(change)
    for (const key of change.keys) keys.add(key)
  }
  for (const change of pending) if (chosen.has(change)) change.apply(image)
  return pending.filter(change => !chosen.has(change))
}

/** A cut keeps of the pending changes what it likes, but none without those before it that it rests on. */
export function survive(image: Image, pending: readonly NameChange[], keeps: () => boolean): void {
  const lost = new Set<string>()
  for (const change of pending) {
    if (keeps() && !change.keys.some(key => lost.has(key))) change.apply(image)
    else for (const key of change.keys) lost.add(key)
  }
}

const PAGE = 4096

/** Content of which each page that was written since the last sync may be there or not, and the end anywhere. */
export function tear(durable: Buffer, live: Buffer, random: () => number): Buffer {
  const choice = random()
  if (choice < 0.3 || durable.equals(live)) return Buffer.from(durable)
  if (choice < 0.6) return Buffer.from(live)
  const length = durable.length + Math.floor(random() * (live.length - durable.length + 1))
  const torn = Buffer.alloc(Math.max(0, length))
  for (let at = 0; at < torn.length; at += PAGE) {
    const from = random() < 0.5 ? live : durable
    torn.set(from.subarray(at, Math.min(at + PAGE, torn.length)), at)
  }
  return torn
}
