import { displayPath } from '../base/index.js'
import { type Disk, findStat } from './disk.js'
import { diskError } from './problems.js'
import { removeStretch } from './remove-stretch.js'
import type { RootHandle } from './root.js'
import { isMissing } from './trash-bin.js'
import type { RemovedStretch, TrashAddress } from './trash-files.js'
import { removeEmptyBatch } from './trash-put.js'

/** What is being removed for good: it counts as gone, also when the program ends in the middle of it. */
export const GONE = '.gone'

/** See `TrashFiles.remove`. */
export function removeFromTrash(disk: Disk, bin: RootHandle, { batch: id, n }: TrashAddress): RemovedStretch {
  const nothing: RemovedStretch = { done: true, files: 0, bytes: 0, problems: [] }
  try {
    const batch = disk.openDir(bin.dir, id)
    try {
      const gone = `${n}${GONE}`
      if (findStat(disk, batch, String(n)) !== undefined) {
        disk.rename(batch, String(n), batch, gone, 'replace')
        disk.sync(batch)
      }
      if (findStat(disk, batch, gone) !== undefined) {
        const stretch = removeStretch(disk, batch, gone, { force: true })
        // What the system refuses now is tried again another day.
        if (stretch.problems.length > 0) return { ...stretch, done: true }
        if (stretch.done) removeEmptyBatch(disk, bin.dir, id)
        return stretch
      }
    } finally {
      disk.close(batch)
    }
    removeEmptyBatch(disk, bin.dir, id)
    return nothing
  } catch (err) {
    if (isMissing(err)) return nothing // its batch went with the last of it
    throw diskError('empty the trash', displayPath(bin.path), err)
  }
}
