import { join } from 'node:path'
import {
  type AbsPath,
  eventBus,
  type LocationId,
  pathBytes,
  silentLog,
  systemClock,
  type WorkerPool,
  workerPool
} from '../../storage/base/index.js'
import {
  DEFAULT_RULES,
  type Indexer,
  type IndexLocation,
  type IndexMode,
  indexer
} from '../../storage/indexer/index.js'
import { openInstance } from '../../storage/instance/index.js'
import { type Library, type LibraryManager, libraries } from '../../storage/libraries/index.js'
import { type Search, search } from '../../storage/search/index.js'
import { locating } from './locating.worker.js'

export interface IndexSetup {
  readonly pool: WorkerPool
  readonly libraries: LibraryManager
  readonly library: Library
  readonly indexer: Indexer
  readonly search: Search
  location(path: string, mode: IndexMode): Promise<IndexLocation>
  close(): Promise<void>
}

/** What the daemon has of libraries and index, in this process. */
export async function indexSetup(dir: string): Promise<IndexSetup> {
  const instance = await openInstance(join(dir, 'data') as AbsPath)
  const pool = workerPool()
  const common = { pool, clock: systemClock, events: eventBus(), log: silentLog }
  const manager = libraries({ ...common, database: instance, device: () => ({ name: 'bench', id: null }) })
  const index = indexer({ ...common, ours: () => [join(dir, 'data')] })
  manager.beforeClose(closing => index.closing(closing))
  await manager.start()
  const library = await manager.create({ name: 'Bench' })
  return {
    pool,
    libraries: manager,
    library,
    indexer: index,
    search: search({ pool, own: () => manager.own, networkMounts: () => [] }),
    async location(path, mode) {
      const rules = { ...DEFAULT_RULES, hidden: true }
      const input = { host: library.host, path: pathBytes(path), rules: JSON.stringify(rules), mode }
      const number = await library.database.write(locating.add, input)
      return { id: String(number) as LocationId, number, path: path as AbsPath, mode, rules, versioned: false }
    },
    async close() {
      await manager.stop()
      await pool.close()
      await instance.close()
    }
  }
}
