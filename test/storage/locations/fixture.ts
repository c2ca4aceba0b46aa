import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import {
  type AbsPath,
  type AnyEvent,
  type Clock,
  type EventBus,
  eventBus,
  type LocationId,
  silentLog,
  systemClock,
  systemRandom
} from '../../../storage/base/index.js'
import { indexer } from '../../../storage/indexer/index.js'
import { openInstance } from '../../../storage/instance/index.js'
import { type JobManager, jobManager } from '../../../storage/jobs/index.js'
import { type Library, type LibraryManager, libraries } from '../../../storage/libraries/index.js'
import { type LocationInfo, type Locations, locationsService } from '../../../storage/locations/index.js'
import { volumes } from '../../../storage/volumes/index.js'
import { watcher } from '../../../storage/watcher/index.js'
import { sharedPool } from '../../shared-pool.js'
import { indexed, onDisk } from '../indexer/index-fixture.js'

/** That a watch began, for one, is no event. */
const UNTOLD_MS = 100

/** Everything that a daemon has of locations, on a real data directory; a second one on the same folder is a restart. */
export interface LocationsFixture {
  readonly events: EventBus
  readonly said: AnyEvent[]
  readonly libraries: LibraryManager
  readonly library: Library
  readonly jobs: JobManager
  readonly locations: Locations
  /** Looked at again after each event, and now and then for what no event tells. */
  until(holds: () => boolean | Promise<boolean>): Promise<void>
  info(id: LocationId): Promise<LocationInfo>
  /** Adds a folder and waits until it is indexed and idle. */
  indexedFolder(path: string, options?: Partial<Parameters<Locations['add']>[1]>): Promise<LocationId>
  /** The index says below the location what the disk says. */
  same(id: LocationId): boolean
  /** Paths of the index. */
  paths(id: LocationId): string[]
  close(): Promise<void>
}

export async function openLocations(dir: AbsPath, clock: Clock = systemClock): Promise<LocationsFixture> {
  mkdirSync(dir, { recursive: true })
  const data = join(dir, 'data') as AbsPath
  const instance = await openInstance(data)
  const pool = sharedPool()
  const events = eventBus()
  const said: AnyEvent[] = []
  const waiting = new Set<() => void>()
  events.onAny(event => {
    said.push(event)
    for (const wake of [...waiting]) wake()
  })
  const base = { pool, clock, random: systemRandom, events, log: silentLog }
  const manager = libraries({ database: instance, ...base, device: () => ({ name: 'test', id: null }) })
  const index = indexer({ ...base, ours: () => [data, ...manager.opened().map(l => l.path)] })
  const disks = volumes({ database: instance, ...base })
  const jobs = jobManager({ db: instance, ...base })
  const locations = locationsService({
    ...base,
    ...{ libraries: manager, indexer: index, volumes: disks, jobs, ours: [data] },
    watcher: watcher(base)
  })
  manager.beforeClose(library => index.closing(library))
  const parts = [disks, manager, jobs, locations]
  for (const part of parts) await part.start()
  const first = manager.findCurrent() ?? (await manager.create({ name: 'Test' }))
  const library = (): Library => manager.opened().find(l => l.id === first.id)!
  const numberOf = (id: LocationId): { number: number; path: AbsPath } => {
    const row = library().database.get<{ id: number }>('SELECT id FROM locations WHERE uuid = ?', [id])!
    return { number: row.id, path: '' as AbsPath }
  }
  const fixture: LocationsFixture = {
    ...{ events, said, libraries: manager, jobs, locations },
    get library() {
      return library()
    },
    async until(holds) {
      while (!(await holds())) {
        await new Promise<void>(resolve => {
          const wake = (): void => {
            clearTimeout(timer)
            waiting.delete(wake)
            resolve()
          }
          const timer = setTimeout(wake, UNTOLD_MS)
          waiting.add(wake)
        })
      }
    },
    info: id => locations.info(id),
    async indexedFolder(path, options = {}) {
      const { location, job } = await locations.add(library(), { path: path as AbsPath, mode: 'shallow', ...options })
      await jobs.outcome(job)
      await fixture.until(async () => (await locations.info(location.id)).lastScanAt !== null)
      return location.id
    },
    same(id) {
      const { path } = pathOf(id)
      const index = indexed(library(), numberOf(id) as never)
      const disk = onDisk(path)
      return index.size === disk.size && [...disk].every(([p, e]) => key(index.get(p)) === key(e))
    },
    paths: id => [...indexed(library(), numberOf(id) as never).keys()].sort(),
    async close() {
      for (const part of parts.toReversed()) await part.stop()
      await pool.close()
      await instance.close()
    }
  }
  const pathOf = (id: LocationId): { path: string } => {
    const row = library().database.get<{ path: Uint8Array }>('SELECT path FROM locations WHERE uuid = ?', [id])!
    return { path: Buffer.from(row.path).toString() }
  }
  return fixture
}

function key(value: unknown): string {
  return JSON.stringify(value, (_k, v) => (typeof v === 'bigint' ? `${v}n` : v))
}
