/** The version store of an end on another device, as the history reads one: its lines are told, its contents asked for. */
import { type AbortOptions, type Clock, isUuid, SpacedriveError } from '../../storage/base/index.js'
import { AREA_NAME, isTempName } from '../../storage/files/index.js'
import type { Database } from '../../storage/sql/index.js'
import type { EndpointKept, KeptPage } from '../endpoints/index.js'
import { parseLine, type Reach, type VersionLine, VersionLog } from '../versions/index.js'
import type { StoreRead } from './store-at.js'

export interface FarStoreInit {
  readonly kept: EndpointKept
  /** What lines tell of will be asked for. */
  readonly contents: boolean
  readonly clock: Clock
  /** The instance database: when the runs of this device were. */
  readonly db: Database
}

/** Clocks that differ by less are not told apart: what is asked twice must be answered alike. */
const CLOCK_STEP_MS = 60_000

/** @returns undefined while nothing was ever kept there */
export async function farStore(init: FarStoreInit, options: AbortOptions): Promise<StoreRead | undefined> {
  const log = new FarLog(init)
  if ((await log.reach(options)) === undefined) return undefined
  return { log, contents: init.kept.contents, close: async () => {} }
}

/**
 * Lines with times of this device's clock, so that they stand in one order with those of the other end. A run of this device was when it
 * says it was; what others did there is moved by what the clocks differ in.
 */
class FarLog extends VersionLog {
  readonly #init: FarStoreInit
  readonly #runs = new Map<string, number | undefined>()
  #reach: { readonly reach: Reach | undefined } | undefined

  constructor(init: FarStoreInit) {
    super({ lists: async () => [], read: async () => new Uint8Array(0) })
    this.#init = init
  }

  override async *newestFirst(options: AbortOptions = {}): AsyncGenerator<VersionLine> {
    const { kept, contents } = this.#init
    let aheadMs = 0
    let lastMs = Number.POSITIVE_INFINITY
    const askedMs = this.#init.clock.nowMs()
    for await (const page of kept.lines({ contents, ...options })) {
      if (page.kind === 'reach') {
        aheadMs = this.#ahead(page, askedMs).inStepsMs
        continue
      }
      for (const text of page.texts) {
        const line = parseLine(text)
        if (line === undefined || !isTheirs(line)) continue
        lastMs = Math.min(lastMs, this.#runMs(line.run) ?? line.atMs - aheadMs)
        yield { ...line, atMs: lastMs }
      }
    }
  }

  override async reach(options: AbortOptions = {}): Promise<Reach | undefined> {
    if (this.#reach !== undefined) return this.#reach.reach
    const askedMs = this.#init.clock.nowMs()
    for await (const page of this.#init.kept.lines(options)) {
      if (page.kind !== 'reach') break
      const { inStepsMs, mostMs } = this.#ahead(page, askedMs)
      // No line may seem to be from before it.
      const here = (ms: number): number => Math.max(0, Math.floor(ms - Math.max(inStepsMs, mostMs)))
      const { begunMs, sinceMs, thinnedMs } = page.reach ?? {}
      const reach =
        begunMs === undefined
          ? undefined
          : { begunMs: here(begunMs), sinceMs: here(sinceMs!), thinnedMs: here(thinnedMs!) }
      this.#reach = { reach }
      return reach
    }
    throw new SpacedriveError('MALFORMED', 'the other device did not say how far back its versions reach')
  }

  /** What the clock there is ahead of this one: as lines are moved, and at most. */
  #ahead({ nowMs }: Extract<KeptPage, { kind: 'reach' }>, askedMs: number): { inStepsMs: number; mostMs: number } {
    const toldMs = this.#init.clock.nowMs()
    const hereMs = (askedMs + toldMs) / 2
    return { inStepsMs: Math.round((nowMs - hereMs) / CLOCK_STEP_MS) * CLOCK_STEP_MS, mostMs: nowMs - askedMs }
  }

  #runMs(run: string): number | undefined {
    if (!this.#runs.has(run)) {
      const known = this.#init.db.get<{ at: number }>(
        'SELECT coalesce(ended_at, began_at) AS at FROM sync_runs WHERE id = ?',
        [run]
      )
      if (this.#runs.size >= MAX_RUNS) this.#runs.clear()
      this.#runs.set(run, known?.at)
    }
    return this.#runs.get(run)
  }
}

/** Remembered at once. */
const MAX_RUNS = 10_000

/** Nothing of what is this program's comes back, whatever is told of it; and words that are shown are such as are written. */
function isTheirs({ path, to, run, why, from = '' }: VersionLine): boolean {
  const names = [path, ...(to === undefined ? [] : [to])].flatMap(p => p.split('/'))
  if (names.some(name => name === AREA_NAME || isTempName(name))) return false
  return isUuid(run) && PLAIN_WORDS.test(why) && PLAIN_WORDS.test(from)
}

/** No control characters, and not endless. */
const PLAIN_WORDS = /^\P{C}{0,128}$/u
