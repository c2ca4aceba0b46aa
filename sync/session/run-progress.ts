import type { Clock, EventBus } from '../../storage/base/index.js'
import type { RunOptions } from './runs.js'
import type { SessionInit, SessionPhase } from './session.js'

export interface RunProgressInit {
  readonly clock: Clock
  readonly events: EventBus
  /** Of the sync. */
  readonly uuid: string
  readonly name: string
  readonly run: string
}

type Told = Required<Pick<SessionInit, 'onProgress' | 'onVersions'>>

/** Written to the bus at most this often. */
const PROGRESS_MS = 100
/** Fewer versions are no work that a run in the background would be told for. */
const MANY_VERSIONS = 1_000

/** What is told of one run while it goes on: that it began, once there is something to tell, and how far it is. */
export class RunProgress implements Told {
  /** Done so far. */
  operations = 0
  bytes = 0
  started = false
  readonly #init: RunProgressInit
  readonly #further: Pick<RunOptions, 'onProgress' | 'onVersions'>
  #toldMs = Number.NEGATIVE_INFINITY

  /** @param further - is told of each step as well */
  constructor(init: RunProgressInit, further: Pick<RunOptions, 'onProgress' | 'onVersions'>) {
    this.#init = init
    this.#further = further
  }

  start(): void {
    const { events, uuid: sync, name, run } = this.#init
    if (!this.started) events.emit('sync:started', { sync, name, run })
    this.started = true
  }

  readonly onProgress: Told['onProgress'] = progress => {
    this.start()
    this.operations = progress.operations
    this.bytes = progress.bytes
    this.#further.onProgress?.(progress)
    this.#tell('Applying changes', {
      doneFiles: progress.operations,
      totalFiles: progress.of,
      doneBytes: progress.bytes
    })
  }

  readonly onVersions: Told['onVersions'] = entries => {
    this.#further.onVersions?.(entries)
    if (!this.started && entries < MANY_VERSIONS) return
    this.start()
    this.#tell('Exchanging versions', { doneFiles: entries, totalFiles: null, doneBytes: 0 })
  }

  #tell(phase: SessionPhase, figures: { doneFiles: number; totalFiles: number | null; doneBytes: number }): void {
    const { clock, events, uuid: sync, name, run } = this.#init
    const now = clock.monotonicMs()
    if (now - this.#toldMs < PROGRESS_MS) return
    this.#toldMs = now
    events.emit('sync:progress', { sync, name, run, phase, ...figures, totalBytes: null })
  }
}
