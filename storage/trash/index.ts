/**
 * The trash: what was deleted or replaced can be had back for a month.
 *
 *   const [result] = await trash.put([{ at, expected: stat }], { command: 'file.delete', job })   // one rename, durable
 *   await trash.restore([result.id])                                                              // one rename back
 *
 * A file that something else moved aside already (a copy that replaces) is thrown away from where it lies, under the name
 * it had: `{ at: asidePath, origin: oldPath, expected }`. Directories go whole, by one rename.
 *
 * `storage/files` does what concerns the disk; here are the rows by which things are found again, the choice of the bin,
 * what a crash left half done, and the cleaner. docs/files.md tells it to people.
 */
import type { Trash } from './trash.js'
import { type TrashComponents, TrashService } from './trash-service.js'

export { KEEP_MIN_MS, MAX_TRASH_PAGE } from './limits.js'
export type {
  Emptied,
  RemoveOptions,
  Restored,
  ThrownAway,
  ThrowOptions,
  Trash,
  TrashEntry,
  TrashFilter,
  TrashPage,
  TrashTotals
} from './trash.js'
export type { TrashComponents } from './trash-service.js'

export function trash(components: TrashComponents): Trash {
  return new TrashService(components)
}
