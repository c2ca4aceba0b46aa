import type { BigIntStats } from 'node:fs'
import { readlink } from 'node:fs/promises'
import { type AbsPath, displayPath, fsPath, textFromBytes } from '../../storage/base/index.js'
import type { Peer } from '../compose.js'

/** What the disk tells of a name beyond its size and time. */
export interface DiskFacts {
  /** null where the file system keeps none. */
  readonly createdMs: number | null
  readonly changedMs: number
  /** What it takes on the disk: less than its size where it has holes. */
  readonly allocatedBytes: number
  /** Names that this file has. */
  readonly links: number
  readonly uid: number
  readonly gid: number
  readonly inode: bigint
  /** Of a link: what it leads to, as it stands there. */
  readonly target: string | null
  readonly volume: { readonly id: string; readonly name: string; readonly fileSystem: string } | null
}

/** Blocks of a stat are of 512 bytes whatever the file system. */
const BLOCK_BYTES = 512n

export async function diskFacts(peer: Peer, path: AbsPath, stat: BigIntStats): Promise<DiskFacts> {
  const target = stat.isSymbolicLink()
    ? displayPath(textFromBytes(await readlink(fsPath(path), { encoding: 'buffer' })))
    : null
  const parent = (path.slice(0, path.lastIndexOf('/')) || '/') as AbsPath
  const volume = await peer.volumes.volumeOf(stat.isSymbolicLink() ? parent : path).catch(() => undefined)
  return {
    createdMs: stat.birthtimeNs === 0n ? null : Number(stat.birthtimeNs / 1_000_000n),
    changedMs: Number(stat.ctimeNs / 1_000_000n),
    allocatedBytes: Number(stat.blocks * BLOCK_BYTES),
    links: Number(stat.nlink),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    inode: stat.ino,
    target,
    volume: volume === undefined ? null : { id: volume.id, name: volume.name, fileSystem: volume.fileSystem }
  }
}
