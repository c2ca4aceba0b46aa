import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import {
  type AbsPath,
  eventBus,
  fsPath,
  type LocationId,
  pathBytes,
  silentLog,
  systemClock,
  textFromBytes,
  type WorkerPool
} from '../../../storage/base/index.js'
import { DEFAULT_RULES, type Indexer, type IndexLocation, indexer } from '../../../storage/indexer/index.js'
import { type InstanceDatabase, openInstance } from '../../../storage/instance/index.js'
import { type Library, type LibraryManager, libraries } from '../../../storage/libraries/index.js'
import { sharedPool } from '../../shared-pool.js'
import { tempDir } from '../../temp.js'
import { locating } from './locating.worker.js'

/** A data directory with libraries and an indexer, and a folder to be indexed, all real. */
export interface IndexFixture {
  readonly dir: AbsPath
  /** The folder to be indexed. */
  readonly tree: AbsPath
  readonly instance: InstanceDatabase
  readonly pool: WorkerPool
  readonly manager: LibraryManager
  readonly indexer: Indexer
  readonly library: Library
  readonly events: ReturnType<typeof eventBus>
  location(path?: string, options?: Partial<IndexLocation>): Promise<IndexLocation>
  close(): Promise<void>
}

export async function indexFixture(options: { dir?: AbsPath; pool?: WorkerPool } = {}): Promise<IndexFixture> {
  const temp = options.dir === undefined ? tempDir('sd-index-') : { path: options.dir, clean() {} }
  const { mkdirSync } = await import('node:fs')
  const tree = join(temp.path, 'tree') as AbsPath
  mkdirSync(tree, { recursive: true })
  const instance = await openInstance(join(temp.path, 'data') as AbsPath)
  const pool = options.pool ?? sharedPool()
  const events = eventBus()
  const manager = libraries({
    database: instance,
    pool,
    clock: systemClock,
    events,
    log: silentLog,
    device: () => ({ name: 'test', id: null })
  })
  const index = indexer({ pool, clock: systemClock, events, log: silentLog, ours: () => [join(temp.path, 'data')] })
  manager.beforeClose(library => index.closing(library))
  await manager.start()
  const library = manager.findCurrent() ?? (await manager.create({ name: 'Test' }))
  return {
    dir: temp.path,
    tree,
    instance,
    pool,
    manager,
    indexer: index,
    library,
    events,
    async location(path = tree, init = {}) {
      const number = await library.database.write(locating.add, {
        host: library.host,
        path: pathBytes(path),
        rules: JSON.stringify(init.rules ?? DEFAULT_RULES),
        versioned: init.versioned ?? false
      })
      return {
        id: `location-${number}` as LocationId,
        number,
        path: path as AbsPath,
        mode: 'shallow',
        rules: DEFAULT_RULES,
        versioned: false,
        ...init
      }
    },
    async close() {
      await manager.stop()
      if (options.pool === undefined) await pool.close()
      await instance.close()
      temp.clean()
    }
  }
}

/** What the index says below a location, by relative path: everything that a scan can see. */
export function indexed(library: Library, location: IndexLocation): Map<string, Record<string, unknown>> {
  const root = library.database.get<{ entry: number }>('SELECT entry FROM locations WHERE id = ?', [
    location.number
  ])!.entry
  const result = new Map<string, Record<string, unknown>>()
  const read = (id: number, rel: string): void => {
    const rows = library.database.all<Record<string, bigint | Uint8Array>>(
      `SELECT e.*, d.files, d.dirs, d.bytes FROM entries e LEFT JOIN directories d ON d.id = e.id WHERE e.parent = ?`,
      [id],
      { bigint: true }
    )
    for (const row of rows) {
      const path = rel + textFromBytes(row.name as Uint8Array)
      const { kind, size, mtime_ns, ctime_ns, inode, mode, files, dirs, bytes } = row
      result.set(path, { kind, size, mtime_ns, ctime_ns, inode, mode, files, dirs, bytes })
      if (row.kind === 1n) read(Number(row.id), `${path}/`)
    }
  }
  read(root, '')
  return result
}

/** What is on the disk, in the same form. */
export function onDisk(path: string, rel = ''): Map<string, Record<string, unknown>> {
  const result = new Map<string, Record<string, unknown>>()
  for (const bytes of readdirSync(fsPath(path), { encoding: 'buffer' })) {
    const name = textFromBytes(bytes)
    const s = lstatSync(fsPath(`${path}/${name}`), { bigint: true })
    const kind = s.isFile() ? 0n : s.isDirectory() ? 1n : s.isSymbolicLink() ? 2n : 3n
    const size = kind === 1n ? 0n : s.size
    const common = { kind, size, mtime_ns: s.mtimeNs, ctime_ns: s.ctimeNs, inode: s.ino, mode: s.mode }
    const below = kind === 1n ? onDisk(`${path}/${name}`, `${rel}${name}/`) : new Map<string, Record<string, unknown>>()
    const all = [...below.values()]
    const sums =
      kind === 1n
        ? {
            files: BigInt(all.filter(e => e.kind !== 1n).length),
            dirs: BigInt(all.filter(e => e.kind === 1n).length),
            bytes: all.filter(e => e.kind === 0n).reduce((sum, e) => sum + (e.size as bigint), 0n)
          }
        : { files: null, dirs: null, bytes: null }
    result.set(rel + name, { ...common, ...sums })
    for (const [k, v] of below) result.set(k, v)
  }
  return result
}

/** Ids by relative path. */
export function idsOf(library: Library, location: IndexLocation): Map<string, number> {
  const root = library.database.get<{ entry: number }>('SELECT entry FROM locations WHERE id = ?', [
    location.number
  ])!.entry
  const ids = new Map<string, number>()
  const read = (id: number, rel: string): void => {
    for (const row of library.database.all<{ id: number; name: Uint8Array; kind: number }>(
      'SELECT id, name, kind FROM entries WHERE parent = ?',
      [id]
    )) {
      const path = rel + textFromBytes(row.name)
      ids.set(path, row.id)
      if (row.kind === 1) read(row.id, `${path}/`)
    }
  }
  read(root, '')
  return ids
}
