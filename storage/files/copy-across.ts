import { SpacedriveError } from '../base/index.js'
import { PIECE_BYTES } from '../content/index.js'
import { type DirHandle, type Disk, findStat } from './disk.js'
import type { EntryStat } from './fingerprint.js'

/**
 * Copies a file or link to where a rename does not reach, durable, with mode and mtime. What an earlier try left under the
 * new name is replaced: it is one of ours.
 * @throws {SpacedriveError} CHANGED when it was written to meanwhile, OTHER_FILE_SYSTEM for a directory
 */
export function copyAcross(disk: Disk, from: DirHandle, name: string, to: DirHandle, toName: string): EntryStat {
  const before = disk.lstat(from, name)
  if (findStat(disk, to, toName) !== undefined) disk.unlink(to, toName)
  if (before.kind === 'symlink') {
    disk.symlink(disk.readlink(from, name), to, toName)
    disk.sync(to)
    return disk.lstat(to, toName)
  }
  if (before.kind !== 'file') {
    throw new SpacedriveError('OTHER_FILE_SYSTEM', `could not move the directory ${name}: it would cross a boundary`)
  }
  const source = disk.open(from, name, 'read')
  try {
    const target = disk.open(to, toName, 'create')
    try {
      const piece = new Uint8Array(PIECE_BYTES)
      for (let position = 0; ; ) {
        const n = disk.read(source, piece, position)
        if (n === 0) break
        disk.write(target, piece.subarray(0, n), position)
        position += n
      }
      disk.setMode(target, before.mode)
      disk.setMtime(target, before.mtimeNs)
      disk.sync(target)
    } finally {
      disk.close(target)
    }
    disk.sync(to)
    // As late as can be: the other one goes. Its change time, too: size and time may have been put back.
    const { sizeBytes, mtimeNs, ctimeNs } = disk.stat(source)
    if (sizeBytes !== before.sizeBytes || mtimeNs !== before.mtimeNs || ctimeNs !== before.ctimeNs) {
      throw new SpacedriveError('CHANGED', `could not move ${name}: it was written to meanwhile`)
    }
    return disk.lstat(to, toName)
  } catch (err) {
    if (findStat(disk, to, toName) !== undefined) disk.unlink(to, toName)
    throw err
  } finally {
    disk.close(source)
  }
}
