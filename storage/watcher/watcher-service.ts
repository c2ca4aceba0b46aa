import { lstat } from 'node:fs/promises'
import {
  type AbsPath,
  type Clock,
  displayPath,
  fsPath,
  hasCode,
  type Logger,
  ROOT,
  SpacedriveError,
  toError,
  type WorkerPool
} from '../base/index.js'
import { MAX_RESTARTS, WALK_INTERVAL_MS } from './limits.js'
import type { Watch, Watcher, WatchListener, WatchRequest } from './watcher.js'
import { type FromWatching, type WatchTask, watching } from './watching.worker.js'

export interface WatcherComponents {
  readonly pool: WorkerPool
  readonly clock: Clock
  readonly log: Logger
}

export class WatcherService implements Watcher {
  readonly #components: WatcherComponents

  constructor(components: WatcherComponents) {
    this.#components = components
  }

  async watch({ root, backend }: WatchRequest, listener: WatchListener): Promise<Watch> {
    if (backend === 'walk') return walk(root, listener, this.#components.clock)
    const watch = new EventWatch(this.#components, { root, backend }, listener)
    await watch.begin()
    return watch
  }
}

/** A watching thread for one tree, begun again when it dies: what it missed is looked at. */
class EventWatch implements Watch {
  readonly #components: WatcherComponents
  readonly #task: WatchTask
  readonly #listener: WatchListener
  readonly #stopping = new AbortController()
  #ended: Promise<unknown> = Promise.resolve()
  #restarts = 0
  #walk: Watch | undefined

  constructor(components: WatcherComponents, task: WatchTask, listener: WatchListener) {
    this.#components = components
    this.#task = task
    this.#listener = listener
  }

  get backend(): Watch['backend'] {
    return this.#walk?.backend ?? this.#task.backend
  }

  /** Resolves when the tree is watched. */
  async begin(): Promise<void> {
    let ready = (): void => {}
    const isReady = new Promise<void>(resolve => {
      ready = resolve
    })
    const { signal } = this.#stopping
    const link = this.#components.pool.link(watching.watchTree, this.#task, {
      lasts: true,
      signal,
      onEmit: (message: FromWatching) => {
        if (signal.aborted) return
        if ('ready' in message) ready()
        else if ('coverage' in message) this.#listener.coverage(message.coverage)
        else if ('rootLost' in message) this.#listener.rootLost()
        else void this.#handOn(message).finally(() => link.post(null))
      }
    })
    this.#ended = link.result.catch(() => {})
    await Promise.race([isReady, link.result])
    void link.result.catch((err: unknown) => this.#died(err))
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new SpacedriveError('STOPPED', 'watching was stopped'))
    await this.#walk?.stop()
    await this.#ended
  }

  async #handOn({ paths, subtrees }: Extract<FromWatching, { paths: unknown }>): Promise<void> {
    try {
      await this.#listener.changes(paths.map((path, i) => ({ path, subtree: subtrees[i]! })))
    } catch (err) {
      this.#components.log.error('changes were not taken', { error: toError(err).message })
    }
  }

  async #died(err: unknown): Promise<void> {
    const { log, clock } = this.#components
    if (this.#stopping.signal.aborted || hasCode(err, 'STOPPED')) return
    log.warn('a watch ended and is begun again', { root: displayPath(this.#task.root), error: toError(err).message })
    try {
      if (++this.#restarts > MAX_RESTARTS) throw err
      await this.begin()
      await this.#listener.changes([{ path: ROOT, subtree: true }])
    } catch (cause) {
      if (this.#stopping.signal.aborted) return
      const problem = { code: 'WATCH_FAILED', message: `could not watch: ${toError(cause).message}` }
      this.#listener.coverage({ complete: false, uncovered: [ROOT], problem })
      this.#walk = walk(this.#task.root, this.#listener, clock)
    }
  }
}

/** No events: the whole tree is looked at again and again, the next time a while after the last has ended. */
function walk(root: AbsPath, listener: WatchListener, clock: Clock): Watch {
  let stopped = false
  let timer: { clear(): void } | undefined
  let working: Promise<void> = Promise.resolve()
  const again = (): void => {
    if (stopped) return
    timer = clock.timer(() => {
      working = (async () => {
        const there = await lstat(fsPath(root)).then(
          s => s.isDirectory(),
          () => false
        )
        if (stopped) return
        if (!there) return listener.rootLost()
        await listener.changes([{ path: ROOT, subtree: true }]).catch(() => {})
        again()
      })()
    }, WALK_INTERVAL_MS)
  }
  again()
  return {
    backend: 'walk',
    async stop() {
      stopped = true
      timer?.clear()
      await working
    }
  }
}
