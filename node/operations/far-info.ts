import { displayPath, isPlainUtf8, pathBytes } from '../../storage/base/index.js'
import type { Place } from '../../sync/copy/index.js'
import type { Peer } from '../compose.js'
import type { DiskFacts } from './file-facts.js'

/** What is told of a file or folder of another device: what its disk says, and no more; indexes stay where they are. */
export async function farInfo(
  peer: Peer,
  { device, path }: Place,
  { hash, count, signal }: { hash: boolean; count: boolean; signal: AbortSignal }
) {
  const { mimeOfFile, typeOfName } = await import('../../storage/file-types/index.js')
  const found = await peer.far.look(device!, path, { hash, count, signal })
  const { stat, target } = found.entry
  const name = path.slice(path.lastIndexOf('/') + 1)
  const type = stat.kind === 'file' ? typeOfName(name).kind : null
  const disk: DiskFacts = {
    createdMs: stat.birthNs === 0n ? null : Number(stat.birthNs / 1_000_000n),
    changedMs: Number(stat.ctimeNs / 1_000_000n),
    allocatedBytes: stat.allocatedBytes ?? stat.sizeBytes,
    ...{ links: stat.links, uid: stat.uid, gid: stat.gid ?? 0, inode: stat.inode },
    target: target === undefined ? null : displayPath(target),
    volume: null
  }
  const shown = `${peer.devices.nameOf(device!)}:${displayPath(path)}`
  return {
    path: shown,
    ...(isPlainUtf8(path) ? {} : { pathBytes: pathBytes(path).toString('base64') }),
    ...{ form: stat.kind, type, mime: type === null ? null : mimeOfFile(name, type, stat.sizeBytes, null) },
    ...{ sizeBytes: stat.sizeBytes, modifiedMs: Number(stat.mtimeNs / 1_000_000n), mode: stat.mode & 0o7777 },
    ...{ hash: found.hash, cas: null, copies: null, media: null, below: null, counted: found.counted, disk },
    ...{ inTrash: 0, location: null, state: 'on another device', excluded: false, problem: null, uuid: null },
    ...{ tags: [], labels: [], notes: null, favorite: false, hidden: false }
  }
}
