import type { BigIntStats } from 'node:fs'
import type { EntryKind, EntryStat } from './fingerprint.js'

const S_IFMT = 0o170000
// A Map: the formatter changes the value of octal numbers that are keys of an object.
const KINDS: ReadonlyMap<number, EntryKind> = new Map([
  [0o100000, 'file'],
  [0o040000, 'directory'],
  [0o120000, 'symlink']
])
const NS = 1_000_000_000n

export function statFromNode(s: BigIntStats): EntryStat {
  const mode = Number(s.mode)
  return {
    kind: KINDS.get(mode & S_IFMT) ?? 'other',
    sizeBytes: Number(s.size),
    mtimeNs: s.mtimeNs,
    ctimeNs: s.ctimeNs,
    birthNs: s.birthtimeNs,
    device: s.dev,
    inode: s.ino,
    mount: 0n,
    mode: mode & 0o7777,
    links: Number(s.nlink),
    uid: Number(s.uid),
    gid: Number(s.gid),
    allocatedBytes: Number(s.blocks) * BLOCK_BYTES
  }
}

/** What `st_blocks` counts in, whatever the file system's own blocks are. */
const BLOCK_BYTES = 512

/**
 * From Linux's `struct statx`, which is the same on every processor (both of ours are little-endian). A walk makes 100,000 of them, and what
 * is made on the way is what the collector has to take away: so through a view, with no bigint in between.
 */
export function statFromStatx(b: Buffer): EntryStat {
  const view = viewOf(b)
  const mask = view.getUint32(0, true)
  const mode = view.getUint16(28, true)
  return {
    kind: KINDS.get(mode & S_IFMT) ?? 'other',
    sizeBytes: number64(view, 40),
    mtimeNs: time(view, 112),
    ctimeNs: time(view, 96),
    birthNs: mask & 0x800 ? time(view, 80) : 0n,
    device: deviceNumber(view.getUint32(136, true), view.getUint32(140, true)),
    inode: view.getBigUint64(32, true),
    mount: mask & 0x1000 ? view.getBigUint64(144, true) : 0n,
    mode: mode & 0o7777,
    links: view.getUint32(16, true),
    uid: view.getUint32(20, true),
    gid: view.getUint32(24, true),
    allocatedBytes: number64(view, 48) * BLOCK_BYTES
  }
}

/** Of the buffer that was read last: who looks uses one again and again. */
let view: DataView = new DataView(new ArrayBuffer(0))
let viewed: Buffer | undefined

function viewOf(b: Buffer): DataView {
  if (viewed !== b) {
    viewed = b
    view = new DataView(b.buffer, b.byteOffset, b.byteLength)
  }
  return view
}

/** Told that it all fits into 64 bits, V8 computes without a bigint in between; from the year 2242 on, and before 1698, it does not fit. */
function time(v: DataView, at: number): bigint {
  const high = v.getInt32(at + 4, true)
  const nanoseconds = v.getUint32(at + 8, true)
  if (high < -2 || high > 1) return v.getBigInt64(at, true) * NS + BigInt(nanoseconds)
  return BigInt.asIntN(64, v.getBigInt64(at, true) * NS + BigInt(nanoseconds))
}

const number64 = (v: DataView, at: number): number => v.getUint32(at + 4, true) * 0x1_0000_0000 + v.getUint32(at, true)

let last = { major: -1, minor: -1, device: 0n }

/** As the C library puts `st_dev` together, so that both ways of asking agree. Nearly always that of what was looked at before. */
function deviceNumber(major: number, minor: number): bigint {
  if (last.major === major && last.minor === minor) return last.device
  const a = BigInt(major)
  const i = BigInt(minor)
  const device = ((a & 0xfffff000n) << 32n) | ((a & 0xfffn) << 8n) | ((i & 0xffffff00n) << 12n) | (i & 0xffn)
  last = { major, minor, device }
  return device
}
