import type { AbortOptions, AbsPath } from '../base/index.js'
import { type Browsed, type BrowseInput, browsing } from './browse.worker.js'
import type { IndexerInit } from './parts.js'
import { DEFAULT_RULES } from './scopes.js'

export interface BrowseRequest {
  readonly path: AbsPath
  readonly scope?: BrowseInput['scope']
  readonly mode?: BrowseInput['mode']
  readonly maxDepth?: number
  /** Hidden files and folders are entered too. */
  readonly hidden?: boolean
  /** What was seen a while ago will do: for the next page of the same look. */
  readonly held?: boolean
}

/** Entries of one look: what a person pages through. More is for a location. */
export const MAX_BROWSED = 10_000
/** All that is held at a time (some 40 MB); the least recently used goes. */
const MAX_HELD_ENTRIES = 100_000
/** A look that nobody asked for again is let go. */
const IDLE_MS = 30 * 60 * 1000

/** Indexes that live in memory: folders looked into without recording anything. Gone with the process. */
export class EphemeralIndexes {
  readonly #parts: Pick<IndexerInit, 'pool' | 'clock' | 'ours'>
  readonly #held = new Map<string, { at: number; browsed: Browsed }>()

  constructor(parts: Pick<IndexerInit, 'pool' | 'clock' | 'ours'>) {
    this.#parts = parts
  }

  async browse(request: BrowseRequest, { signal }: AbortOptions = {}): Promise<Browsed> {
    const { path, scope = 'current', mode = 'shallow', maxDepth = Number.POSITIVE_INFINITY, hidden = false } = request
    const key = JSON.stringify([path, scope, mode, maxDepth, hidden])
    const now = this.#parts.clock.monotonicMs()
    for (const [name, { at }] of this.#held) if (now - at > IDLE_MS) this.#held.delete(name)
    const there = this.#held.get(key)
    if (there !== undefined && request.held === true) {
      this.#keep(key, there.browsed)
      return there.browsed
    }
    const rules = { ...DEFAULT_RULES, hidden }
    const limits = { maxDepth, maxEntries: MAX_BROWSED, ours: this.#parts.ours() }
    const browsed = await this.#parts.pool.run(
      browsing.browse,
      { path, scope, mode, rules, ...limits },
      signal === undefined ? {} : { signal }
    )
    this.#keep(key, browsed)
    return browsed
  }

  get heldEntries(): number {
    return [...this.#held.values()].reduce((sum, h) => sum + h.browsed.entries.length, 0)
  }

  /** The newest stands last: a Map keeps the order of coming. */
  #keep(key: string, browsed: Browsed): void {
    this.#held.delete(key)
    this.#held.set(key, { at: this.#parts.clock.monotonicMs(), browsed })
    for (const oldest of this.#held.keys()) {
      if (this.heldEntries <= MAX_HELD_ENTRIES || oldest === key) break
      this.#held.delete(oldest)
    }
  }
}
