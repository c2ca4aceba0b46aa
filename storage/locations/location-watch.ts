import {
  displayPath,
  hasCode,
  type Logger,
  type PlainError,
  SpacedriveError,
  toError,
  toPlainError
} from '../base/index.js'
import type { Indexer } from '../indexer/index.js'
import {
  chooseBackend,
  type Watch,
  type WatchBackend,
  type WatchChange,
  type WatchCoverage,
  type Watcher
} from '../watcher/index.js'
import type { LocationRecord } from './record.js'
import { indexLocation } from './row.js'

export interface LocationWatchInit {
  readonly record: LocationRecord
  readonly watcher: Watcher
  readonly indexer: Indexer
  readonly log: Logger
  /** What is watched changed: freshness and the words of the problem follow. */
  covered(): void
  /** Whether the folder is still the one that is watched. A disk that was swapped must not look like deleted files. */
  isStillRoot(): Promise<boolean>
  /** The root may be gone: it is looked at, and all of it if it is not. */
  rootDoubtful(): void
  /** Changes could not be recorded: everything is to be looked at later. */
  missed(err: Error): void
}

/** Problems that come from the watch and go with it. */
export const WATCH_PROBLEMS: ReadonlySet<string> = new Set(['WATCH_LIMIT', 'WATCH_FAILED', 'WALKED'])

/** The watch of one location: what it sees goes to the indexer. */
export class LocationWatch {
  readonly #init: LocationWatchInit
  readonly #stopping = new AbortController()
  #watch: Watch | undefined
  #applying: Promise<void> = Promise.resolve()
  coverage: WatchCoverage = { complete: false, uncovered: [], problem: null }

  constructor(init: LocationWatchInit) {
    this.#init = init
  }

  get backend(): WatchBackend | null {
    return this.#watch?.backend ?? null
  }

  /** Resolves when everything is watched. A watch that cannot begin leaves the reason in `coverage`. */
  async start(network: boolean): Promise<void> {
    const { record, watcher, log } = this.#init
    const backend = LocationWatch.suits(record, network)
    const { path } = record.location
    try {
      this.#watch = await watcher.watch(
        { root: path, backend },
        {
          changes: batch => {
            this.#applying = this.#apply(batch)
            return this.#applying
          },
          coverage: coverage => {
            this.coverage = coverage
            this.#init.covered()
          },
          rootLost: () => this.#init.rootDoubtful()
        }
      )
      if (backend === 'walk') this.coverage = { complete: false, uncovered: [], problem: WALKED }
    } catch (err) {
      if (hasCode(err, 'LOCATION_OFFLINE')) throw err
      log.warn('a location cannot be watched', { path: displayPath(path), error: toError(err).message })
      this.coverage = { complete: false, uncovered: [], problem: toPlainError(err) }
    }
  }

  /** The back end that a tree of that size asks for; before the first look any tree may be a large one. */
  static suits(record: LocationRecord, network: boolean): WatchBackend {
    const entries = record.entries() ?? Number.POSITIVE_INFINITY
    return chooseBackend({ platform: process.platform, network, entries })
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new SpacedriveError('STOPPED', 'the location is no longer watched'))
    await this.#watch?.stop()
    await this.#applying // nothing of it writes to a library that is being closed
  }

  async #apply(batch: readonly WatchChange[]): Promise<void> {
    const { record, indexer } = this.#init
    const { signal } = this.#stopping
    if (signal.aborted) return
    try {
      if (!(await this.#init.isStillRoot())) return this.#init.rootDoubtful()
      await indexer.applyChanges(record.library, indexLocation(record.location), batch, { signal })
    } catch (err) {
      if (signal.aborted || hasCode(err, 'STOPPED')) return
      if (hasCode(err, 'LOCATION_OFFLINE')) this.#init.rootDoubtful()
      else this.#init.missed(toError(err))
    }
  }
}

const WALKED: PlainError = Object.freeze({
  code: 'WALKED',
  message: 'this network drive raises no events: it is looked at every 30 seconds'
})
