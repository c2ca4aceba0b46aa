import { randomUUID } from 'node:crypto'
import { lstat, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import {
  type AbortOptions,
  type AbsPath,
  type Clock,
  displayPath,
  fsPath,
  hasCode,
  type Logger,
  pathBytes,
  SpacedriveError,
  textFromBytes,
  toError,
  type WorkerPool
} from '../base/index.js'
import { removeEmptyDir, removeFile, TEMP_PREFIX } from '../files/index.js'
import type { Database } from '../sql/index.js'
import { SPEED_FILE, speed } from './speed.worker.js'
import type { VolumeSpeed } from './volume.js'
import { volumeWrites } from './volumes.worker.js'

export const SPEED_TEST_BYTES = 256 * 2 ** 20
/** A speed test takes no more than this share of what is free. */
const SPEED_TEST_SHARE = 0.5

export interface SpeedTestParts {
  readonly database: Database
  readonly pool: WorkerPool
  readonly clock: Clock
  readonly log: Logger
}

/** Measures a disk with a file of its own in a folder of its own; both are noted before they are made, so that a crash leaves nothing behind for good. */
export class SpeedTests {
  readonly #parts: SpeedTestParts
  readonly #running = new Set<AbsPath>()

  constructor(parts: SpeedTestParts) {
    this.#parts = parts
  }

  /** @throws NO_SPACE, NOT_WRITABLE, `signal.reason` */
  async measure(
    dir: AbsPath,
    { bytes = SPEED_TEST_BYTES, signal }: { bytes?: number } & AbortOptions
  ): Promise<VolumeSpeed> {
    const { database, pool, clock } = this.#parts
    const space = await statfs(fsPath(dir))
    const available = space.bavail * space.bsize
    if (bytes > available * SPEED_TEST_SHARE) {
      throw new SpacedriveError(
        'NO_SPACE',
        `measuring with ${mib(bytes)} MiB needs twice as much free, ${mib(available)} MiB are`,
        {
          hint: 'Free some space or measure with less: --size.'
        }
      )
    }
    const own = `${dir === '/' ? '' : dir}/${TEMP_PREFIX}speed-${randomUUID()}` as AbsPath
    this.#running.add(own)
    try {
      await database.write(volumeWrites.speedTestBegins, { dir: pathBytes(own), nowMs: clock.nowMs() })
      const measured = await pool.run(speed.measure, { own, bytes }, { signal })
      return { ...measured, measuredAtMs: clock.nowMs() }
    } finally {
      await this.#clean(own).finally(() => this.#running.delete(own))
    }
  }

  /** Takes away what an earlier process left. What lies on a disk that is away waits until it is there. */
  async cleanLeftovers(): Promise<void> {
    for (const row of this.#parts.database.all<{ dir: Uint8Array }>('SELECT dir FROM speed_tests')) {
      const own = textFromBytes(row.dir) as AbsPath
      if (this.#running.has(own)) continue
      await this.#clean(own).catch(err => {
        this.#parts.log.warn('what a speed test left could not be removed', {
          path: displayPath(own),
          error: toError(err).message
        })
      })
    }
  }

  /** By name, never recursively: if something else came to lie in the folder, it stays, and so does the folder. */
  async #clean(own: AbsPath): Promise<void> {
    if (await isFolder(own)) {
      await removeFile(`${own}/${SPEED_FILE}`)
      await removeEmptyDir(own)
    } else if (!(await isFolder(dirname(own) as AbsPath))) return
    await this.#parts.database.write(volumeWrites.speedTestEnded, { dir: pathBytes(own) })
  }
}

const mib = (bytes: number): string => Math.floor(bytes / 2 ** 20).toLocaleString('en-US')

async function isFolder(path: AbsPath): Promise<boolean> {
  try {
    return (await lstat(fsPath(path))).isDirectory()
  } catch (err) {
    if (hasCode(err, 'ENOENT', 'ENOTDIR')) return false
    throw err
  }
}
