import { type AbsPath, isUuid, SpacedriveError } from '../base/index.js'
import { type DirHandle, type Disk, findStat } from './disk.js'
import { isTempName } from './ours.js'
import { diskError, problemOf } from './problems.js'
import type { RootHandle } from './root.js'
import type { FoundBatch } from './trash-files.js'
import { readManifest } from './trash-manifest.js'
import { removeEmptyBatch } from './trash-put.js'
import { GONE } from './trash-remove.js'
import { finishTakingBack } from './trash-take-back.js'
import { removeTree } from './tree.js'

/** See `TrashFiles.read`. */
export function readTrash(disk: Disk, bin: RootHandle, skip: readonly string[]): FoundBatch[] {
  const known = new Set(skip)
  return disk.list(bin.dir).flatMap(name => {
    if (isTempName(name)) removeTree(disk, bin.dir, name) // of a probe that a crash interrupted
    if (!isUuid(name) || known.has(name)) return []
    const batch = disk.openDir(bin.dir, name)
    try {
      return readBatch(disk, bin, batch, name)
    } finally {
      disk.close(batch)
    }
  })
}

function readBatch(disk: Disk, bin: RootHandle, batch: DirHandle, id: string): FoundBatch[] {
  try {
    finishTakingBack(disk, batch)
    const names = disk.list(batch).filter(name => /^\d/.test(name))
    if (names.length === 0) {
      // Nothing was thrown away yet (the manifest may be torn then), or all of it was taken back.
      removeEmptyBatch(disk, bin.dir, id)
      return []
    }
    const manifest = readManifest(disk, batch)
    if (manifest === undefined) throw new SpacedriveError('MANIFEST_DAMAGED', 'its manifest is gone')
    const items = manifest.items.flatMap((item, n) =>
      findStat(disk, batch, String(n)) === undefined ? [] : [{ ...item, n }]
    )
    const going = names.filter(name => name.endsWith(GONE)).map(name => Number(name.slice(0, -GONE.length)))
    return [{ ...manifest.header, items, going }]
  } catch (cause) {
    const path = `${bin.path}/${id}` as AbsPath
    const problem = problemOf(path, diskError('read', path, cause))
    return [{ id, atMs: 0, command: '', job: null, items: [], going: [], problem }]
  }
}
