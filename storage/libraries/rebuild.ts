import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { basename } from 'node:path'
import { type AbsPath, displayPath, type LibraryId, SpacedriveError, type WorkerPool } from '../base/index.js'
import { CONFIG_VERSION, FOLDER_SUFFIX, readLibraryConfig, writeLibraryConfig } from './config.js'
import { databaseIn, keepDamaged, removeDatabase } from './folder.js'
import type { RebuildReport } from './library.js'
import { openLibraryDatabase } from './opening.js'
import { salvaging } from './salvage.worker.js'

export interface RebuildInit {
  folder: AbsPath
  pool: WorkerPool
  nowMs: number
}

/**
 * Puts a new database in the place of a damaged one: keeps a copy, reads from it what can be read of locations and of what
 * people said, and leaves the rest to the indexer. The caller holds the lock.
 */
export async function rebuildLibrary({ folder, pool, nowMs }: RebuildInit): Promise<RebuildReport> {
  if (!existsSync(databaseIn(folder))) {
    throw new SpacedriveError('LIBRARY_NOT_FOUND', `there is no database in ${displayPath(folder)} to rebuild`)
  }
  const kept = keepDamaged(folder, nowMs)
  const salvaged = await pool.run(salvaging.salvage, { file: kept })
  const config = await readLibraryConfig(folder).catch(async () => {
    const id = (salvaged.library ?? randomUUID()) as LibraryId
    const name = basename(folder, FOLDER_SUFFIX)
    const made = { version: CONFIG_VERSION, id, name, createdAt: nowMs } as const
    await writeLibraryConfig(folder, made)
    return made
  })
  await removeDatabase(folder)
  const database = await openLibraryDatabase(folder, nowMs)
  try {
    await database.write(salvaging.putBack, salvaged)
  } finally {
    await database.close()
  }
  const { tables, lost } = salvaged
  return {
    library: config.id,
    path: folder,
    kept,
    saved: { locations: tables.locations.length, tags: tables.tags.length, metadata: tables.metadata.length },
    lost
  }
}
