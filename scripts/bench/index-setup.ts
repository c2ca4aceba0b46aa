import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type AbsPath,
  eventBus,
  type LocationId,
  pathBytes,
  silentLog,
  systemClock,
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
import { type Library, libraries } from '../../storage/libraries/index.js'
import { type Search, search } from '../../storage/search/index.js'
import { locating } from './locating.worker.js'

export interface IndexSetup {
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
    library,
    indexer: index,
    search: search({ pool, own: () => manager.own }),
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

/** Empty files in folders of a hundred, folders in folders of a hundred: `count` entries in all, with names like real ones. */
export function makeWideTree(dir: string, count: number): void {
  const words =
    'report invoice holiday photo index readme config backup draft summary notes music video letter plan'.split(' ')
  const endings = 'txt pdf jpg ts json md mp3 mp4 docx csv'.split(' ')
  for (let made = 0, folder = 0; made < count; folder++) {
    const path = join(dir, `group-${Math.floor(folder / 100)}`, `folder-${folder}`)
    mkdirSync(path, { recursive: true })
    made += folder % 100 === 0 ? 2 : 1
    for (let i = 0; i < 100 && made < count; i++, made++) {
      const n = folder * 100 + i
      writeFileSync(
        join(
          path,
          `${words[n % words.length]}-${words[(n * 7 + folder) % words.length]}-${n}.${endings[n % endings.length]}`
        ),
        ''
      )
    }
  }
}

/** The longest turn of the event loop while `work` runs, in milliseconds. */
export async function longestTurn(work: () => Promise<unknown>): Promise<number> {
  let longest = 0
  let last = performance.now()
  const timer = setInterval(() => {
    const now = performance.now()
    longest = Math.max(longest, now - last - TICK_MS)
    last = now
  }, TICK_MS)
  try {
    await work()
  } finally {
    clearInterval(timer)
  }
  return Math.round(longest)
}

const TICK_MS = 5
