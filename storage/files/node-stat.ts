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

/** From Linux's `struct statx`, which is the same on every processor (both of ours are little-endian). */
export function statFromStatx(b: Buffer): EntryStat {
  const mask = b.readUInt32LE(0)
  const mode = b.readUInt16LE(28)
  const time = (at: number): bigint => b.readBigInt64LE(at) * NS + BigInt(b.readUInt32LE(at + 8))
  return {
    kind: KINDS.get(mode & S_IFMT) ?? 'other',
    sizeBytes: Number(b.readBigUInt64LE(40)),
    mtimeNs: time(112),
    ctimeNs: time(96),
    birthNs: mask & 0x800 ? time(80) : 0n,
    device: deviceNumber(b.readUInt32LE(136), b.readUInt32LE(140)),
    inode: b.readBigUInt64LE(32),
    mount: mask & 0x1000 ? b.readBigUInt64LE(144) : 0n,
    mode: mode & 0o7777,
    links: b.readUInt32LE(16),
    uid: b.readUInt32LE(20),
    gid: b.readUInt32LE(24),
    allocatedBytes: Number(b.readBigUInt64LE(48)) * BLOCK_BYTES
  }
}

/** As the C library puts `st_dev` together, so that both ways of asking agree. */
function deviceNumber(major: number, minor: number): bigint {
  const a = BigInt(major)
  const i = BigInt(minor)
  return ((a & 0xfffff000n) << 32n) | ((a & 0xfffn) << 8n) | ((i & 0xffffff00n) << 12n) | (i & 0xffn)
}
