import { basename, dirname } from 'node:path'
import parcel from '@parcel/watcher'
import { type AbsPath, displayPath, type PlainError, ROOT, SpacedriveError, toError } from '../base/index.js'
import {
  type Backend,
  type BackendSink,
  COVERED,
  directoryAt,
  limitProblem,
  relativeTo,
  sameDirectory,
  uncoveredReport
} from './backend.js'
import { WALK_INTERVAL_MS } from './limits.js'
import { isNoise } from './noise.js'

const LOST_BYTES = '\ufffd'
/** Wait after an error of the watcher before it is asked again; the whole tree is looked at meanwhile. */
const RETRY_MS = 1_000

/**
 * @parcel/watcher: FSEvents on macOS, where it says when events were dropped. Its inotify side does not follow directories
 * that are renamed and keeps silent about dropped events: where that is at work, each folder that appears makes it begin
 * anew (docs/decisions/003 says why Linux has a back end of its own).
 */
export class ParcelBackend implements Backend {
  readonly #root: AbsPath
  readonly #sink: BackendSink
  readonly #inotify = process.platform === 'linux'
  #subscription: parcel.AsyncSubscription | undefined
  #working = Promise.resolve()
  #problem: PlainError | undefined
  #timer: NodeJS.Timeout | undefined
  #again = false
  #stopped = false

  constructor(root: AbsPath, sink: BackendSink) {
    this.#root = root
    this.#sink = sink
  }

  async start(): Promise<void> {
    const identity = directoryAt(this.#root)
    if (identity === undefined) {
      throw new SpacedriveError('LOCATION_OFFLINE', `the folder ${displayPath(this.#root)} is not there`)
    }
    await this.#subscribe()
    this.#tell()
    this.#timer = setInterval(() => {
      if (!sameDirectory(identity, directoryAt(this.#root))) this.#gone()
      else if (this.#problem !== undefined) this.#beginAnew(0)
    }, WALK_INTERVAL_MS)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearInterval(this.#timer)
    await this.#working
    await this.#subscription?.unsubscribe()
  }

  async #subscribe(): Promise<void> {
    try {
      this.#subscription = await parcel.subscribe(this.#root, (err, events) => {
        if (this.#stopped) return
        if (err !== null) this.#beginAnew(RETRY_MS)
        else for (const { type, path } of events) this.#saw(type, path)
      })
      this.#problem = undefined
    } catch (err) {
      const { message } = toError(err)
      this.#problem = /no space left|too many open/i.test(message)
        ? limitProblem('ENOSPC')
        : { code: 'WATCH_FAILED', message: `could not watch ${displayPath(this.#root)}: ${message}` }
    }
  }

  #saw(type: parcel.EventType, path: string): void {
    if (path === this.#root && type === 'delete') this.#gone()
    if (this.#stopped) return
    const odd = path.includes(LOST_BYTES)
    let at = path
    while (at.includes(LOST_BYTES)) at = dirname(at)
    const rel = relativeTo(this.#root, at)
    if (rel === undefined || isNoise(basename(path))) return
    const folder = type === 'create' && directoryAt(at) !== undefined
    if (folder && this.#inotify) this.#beginAnew(0)
    this.#sink.hint(rel, folder || odd)
  }

  /** Asked again while one is under way: once more after it. */
  #beginAnew(afterMs: number): void {
    if (this.#again || this.#stopped) return
    this.#again = true
    this.#working = this.#working.then(async () => {
      if (afterMs > 0) await new Promise(resolve => setTimeout(resolve, afterMs))
      this.#again = false
      if (this.#stopped) return
      await this.#subscription?.unsubscribe().catch(() => {})
      this.#subscription = undefined
      await this.#subscribe()
      this.#tell()
      this.#sink.hint(ROOT, true)
    })
  }

  #gone(): void {
    if (this.#stopped) return
    this.#stopped = true
    this.#sink.rootLost()
  }

  #tell(): void {
    this.#sink.coverage(this.#problem === undefined ? COVERED : uncoveredReport([ROOT], this.#problem))
  }
}
