import type { AbortOptions, AbsPath, WorkerPool } from '../../storage/base/index.js'
import type { Files } from '../../storage/files/index.js'
import { type ListedEntry, listingFolders } from './list.worker.js'

/**
 * What is in a folder of this device, indexed or not, a page by name.
 * @throws {SpacedriveError} MISSING, LINK_IN_PATH (it is no folder), NO_PERMISSION
 */
export async function listFolder(
  { files, pool }: { files: Files; pool: WorkerPool },
  path: AbsPath,
  { after, limit, signal }: { after?: string | undefined; limit: number } & AbortOptions
): Promise<{ entries: readonly ListedEntry[]; more: boolean }> {
  const source = await files.openSource(path, { signal })
  try {
    return await pool.run(listingFolders.list, { source: source.handle, after, limit }, { signal })
  } finally {
    await source.close()
  }
}
