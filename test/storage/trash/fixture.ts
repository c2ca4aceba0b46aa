import { lstatSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type AbsPath,
  type Clock,
  type EventBus,
  eventBus,
  silentLog,
  systemClock,
  systemRandom,
  type WorkerPool
} from '../../../storage/base/index.js'
import { nodeDisk, openFiles, ownerTag, type TrashItem } from '../../../storage/files/index.js'
import { type InstanceDatabase, openInstance } from '../../../storage/instance/index.js'
import { type Trash, trash } from '../../../storage/trash/index.js'
import { type Volumes, volumes } from '../../../storage/volumes/index.js'
import { sharedPool } from '../../shared-pool.js'
import { tempDir } from '../../temp.js'

/** A trash on real folders, with a clock that can be set forward. */
export interface TrashFixture {
  readonly dir: AbsPath
  readonly dataDir: AbsPath
  readonly trash: Trash
  readonly events: EventBus
  readonly db: InstanceDatabase
  /** Days since the beginning of the test. */
  setDay(day: number): void
  keepFor: { days: number; percent: number }
  /** Ends and begins again; `withoutDatabase`: it was lost meanwhile. */
  restart(change?: (dataDir: AbsPath) => void): Promise<void>
  close(): Promise<void>
}

const DAY_MS = 24 * 60 * 60 * 1000

export async function openTrash(at?: AbsPath, data?: AbsPath): Promise<TrashFixture> {
  const temp = tempDir()
  const dir = at ?? temp.path
  const dataDir = data ?? (join(temp.path, 'data') as AbsPath)
  if (data === undefined) mkdirSync(dataDir)
  const pool: WorkerPool = sharedPool()
  const events = eventBus()
  let aheadMs = 0
  const clock: Clock = { ...systemClock, nowMs: () => systemClock.nowMs() + aheadMs }
  const keepFor = { days: 30, percent: 10 }
  let running = await open()
  return {
    dir,
    dataDir,
    events,
    keepFor,
    get trash() {
      return running.trash
    },
    get db() {
      return running.db
    },
    setDay(day) {
      aheadMs = day * DAY_MS
    },
    async restart(change) {
      await running.close()
      change?.(dataDir)
      running = await open()
    },
    async close() {
      await running.close()
      await pool.close()
      temp.clean()
    }
  }

  async function open() {
    const db = await openInstance(dataDir, { newDatabase: true })
    const owner = ownerTag(dataDir)
    const files = openFiles({ pool, owner, clock })
    const disks: Volumes = volumes({ database: db, events, clock, pool, log: silentLog })
    await disks.start()
    const opened = trash({
      ...{ db, files, volumes: disks, pool, clock, events, dataDir, owner, log: silentLog, random: systemRandom },
      keepFor: () => keepFor
    })
    await opened.start()
    return {
      db,
      trash: opened,
      async close() {
        await opened.stop()
        await disks.stop()
        await files.close()
        await db.close()
      }
    }
  }
}

/** Writes a tree: paths with a `/` at the end are directories. */
export function writeTree(dir: string, tree: Readonly<Record<string, string>>): void {
  for (const [path, content] of Object.entries(tree)) {
    const at = join(dir, path)
    mkdirSync(path.endsWith('/') ? at : join(at, '..'), { recursive: true })
    if (!path.endsWith('/')) writeFileSync(at, content)
  }
}

const disk = nodeDisk()

/** As a caller that looked at it. */
export function itemAt(path: string): TrashItem {
  const at = path.lastIndexOf('/')
  const parent = disk.openRoot(path.slice(0, at) || '/')
  try {
    return { at: path as AbsPath, expected: disk.lstat(parent, path.slice(at + 1)) }
  } finally {
    disk.close(parent)
  }
}

export const exists = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false }) !== undefined
