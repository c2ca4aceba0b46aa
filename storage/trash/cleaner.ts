import { type AbortOptions, type Clock, type Logger, SpacedriveError, type WorkerPool } from '../base/index.js'
import type { Database } from '../sql/index.js'
import type { Volumes } from '../volumes/index.js'
import type { BinPlace, Bins } from './bins.js'
import { CLAIM_ROWS, KEEP_MIN_MS, SWEEP_MS } from './limits.js'
import type { Emptied, RemoveOptions } from './trash.js'
import { type RowFilter, trashReads } from './trash.worker.js'

/** How long things are kept, and how much of a volume they may take. */
export interface KeepFor {
  readonly days: number
  readonly percent: number
}

export interface CleanerComponents {
  readonly db: Database
  readonly pool: WorkerPool
  readonly volumes: Pick<Volumes, 'volumeOf'>
  readonly clock: Clock
  readonly log: Logger
  readonly bins: Bins
  readonly keepFor: () => KeepFor
  readonly remove: (filter: RowFilter, options?: RemoveOptions) => Promise<Emptied>
}

const DAY_MS = 24 * 60 * 60 * 1000

/** Removes what was kept long enough, every hour. */
export class Cleaner {
  readonly #components: CleanerComponents
  #stopping = new AbortController()
  #timer: { clear(): void } | undefined
  #running: Promise<unknown> = Promise.resolve()

  constructor(components: CleanerComponents) {
    this.#components = components
  }

  /** @param settled - what must be over before the first look */
  start(settled: () => Promise<void>): void {
    this.#stopping = new AbortController()
    const { clock, log } = this.#components
    const { signal } = this.#stopping
    const look = async (): Promise<void> => {
      await settled()
      await this.sweep({ signal }).catch(err => {
        if (!signal.aborted) log.warn('the trash could not be cleaned', { err })
      })
      if (!signal.aborted) this.#timer = clock.timer(begin, SWEEP_MS)
    }
    const begin = (): void => {
      this.#running = look()
    }
    begin()
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new SpacedriveError('STOPPED', 'the trash is closed'))
    this.#timer?.clear()
    await this.#running
  }

  /** See `Trash.sweep`. */
  async sweep({ signal }: AbortOptions = {}): Promise<Emptied> {
    const { db, pool, clock, log, keepFor, remove } = this.#components
    const sum = { items: 0, files: 0, bytes: 0, problems: [] as Emptied['problems'][number][] }
    const add = ({ items, files, bytes, problems }: Emptied): void => {
      sum.items += items
      sum.files += files
      sum.bytes += bytes
      sum.problems.push(...problems)
    }
    add(await remove({ before: clock.nowMs() - Math.max(keepFor().days * DAY_MS, KEEP_MIN_MS) }, { signal }))
    for (const place of await pool.run(trashReads.bins, { databaseFile: db.file }, { signal })) {
      add(await this.#sweepBin(place, { signal }))
    }
    if (sum.items > 0) log.info('the trash was cleaned', { items: sum.items, files: sum.files, bytes: sum.bytes })
    return sum
  }

  /** Oldest first, until the bin takes no more of its volume than it may; never what is younger than a day. */
  async #sweepBin(place: BinPlace, { signal }: AbortOptions): Promise<Emptied> {
    const { db, pool, volumes, clock, log, bins, keepFor, remove } = this.#components
    const sum = { items: 0, files: 0, bytes: 0, problems: [] as Emptied['problems'][number][] }
    const path = await bins.pathOf(place)
    const volume = path === undefined ? undefined : await volumes.volumeOf(path).catch(() => undefined)
    if (volume === undefined) return sum
    const allowed = Math.floor((volume.totalBytes * keepFor().percent) / 100)
    for (;;) {
      const input = {
        databaseFile: db.file,
        filter: { bin: place.bin },
        oldestFirst: true,
        limit: CLAIM_ROWS,
        offset: 0
      }
      const { rows, totals } = await pool.run(trashReads.list, input, { signal })
      if (totals.bytes <= allowed) return sum
      const old = rows.filter(r => r.deleted_at < clock.nowMs() - KEEP_MIN_MS)
      const ids: number[] = []
      for (let [i, left] = [0, totals.bytes]; i < old.length && left > allowed; i++) {
        ids.push(old[i]!.id)
        left -= old[i]!.size
      }
      const emptied = ids.length === 0 ? undefined : await remove({ ids }, { signal })
      if (emptied === undefined || emptied.items === 0) {
        log.warn('the trash takes more of a volume than it may', { path, bytes: totals.bytes, allowed })
        return sum
      }
      sum.items += emptied.items
      sum.files += emptied.files
      sum.bytes += emptied.bytes
      sum.problems.push(...emptied.problems)
    }
  }
}
