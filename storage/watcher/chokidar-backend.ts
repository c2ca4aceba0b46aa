import { readdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { type FSWatcher, watch } from 'chokidar'
import { type AbsPath, displayPath, type PlainError, ROOT, SpacedriveError, toPlainError } from '../base/index.js'
import {
  type Backend,
  type BackendSink,
  COVERED,
  type DirectoryIdentity,
  directoryAt,
  isLimit,
  limitProblem,
  relativeTo,
  sameDirectory,
  uncoveredReport
} from './backend.js'
import { POLL_INTERVAL_MS, SETTLE_HINTS, SETTLE_MS, WALK_INTERVAL_MS } from './limits.js'
import { isNoise } from './noise.js'

/** What a name with bytes that are not UTF-8 looks like in an event: it is not known which one it was. */
const LOST_BYTES = '\ufffd'

/**
 * chokidar, by events or by polling. Its own events keep its list of watches; what is handed on comes from the events below
 * them (`raw`) too, since it holds some back. It cannot name what is not UTF-8: then the folder around is looked at.
 */
export class ChokidarBackend implements Backend {
  readonly #root: AbsPath
  readonly #sink: BackendSink
  readonly #polling: boolean
  #watcher: FSWatcher | undefined
  #problem: PlainError | undefined
  #walkTimer: NodeJS.Timeout | undefined
  #firstPollTimer: NodeJS.Timeout | undefined
  #newSinceTimer = false
  #lost = false
  #identity: DirectoryIdentity | undefined
  #hints = 0
  #settleTimer: NodeJS.Timeout | undefined
  #settling: Promise<void> = Promise.resolve()

  constructor(root: AbsPath, sink: BackendSink, polling: boolean) {
    this.#root = root
    this.#sink = sink
    this.#polling = polling
  }

  async start(): Promise<void> {
    this.#identity = directoryAt(this.#root)
    if (this.#identity === undefined) {
      throw new SpacedriveError('LOCATION_OFFLINE', `the folder ${displayPath(this.#root)} is not there`)
    }
    await this.#open()
    this.#tell()
    this.#walkTimer = setInterval(() => {
      if (!sameDirectory(this.#identity!, directoryAt(this.#root))) this.#gone()
      else if (this.#problem !== undefined) this.#sink.hint(ROOT, true)
    }, WALK_INTERVAL_MS)
    this.#lookAfterFirstPoll()
  }

  async stop(): Promise<void> {
    this.#lost = true
    clearInterval(this.#walkTimer)
    clearTimeout(this.#firstPollTimer)
    clearTimeout(this.#settleTimer)
    await this.#settling
    await this.#watcher?.close()
  }

  async #open(): Promise<void> {
    const watcher = watch(this.#root, {
      persistent: true,
      ignoreInitial: true,
      followSymlinks: false,
      atomic: false,
      usePolling: this.#polling,
      interval: POLL_INTERVAL_MS,
      binaryInterval: POLL_INTERVAL_MS,
      ignored: path => path !== this.#root && isNoise(basename(path))
    })
    this.#watcher = watcher
    watcher.on('error', err => this.#failed(err))
    await new Promise<void>(resolve => watcher.once('ready', () => resolve()))
    watcher.on('all', (event, path) => {
      this.#saw(path, event === 'addDir')
      if (event.startsWith('add')) this.#lookAfterFirstPoll()
    })
    watcher.on('raw', (_event, name: string | null, details) => {
      if (name === null) return
      // Its events of polling leave out what got an older time and kept its size.
      if (this.#polling) return this.#saw(name, false)
      const at = (details as { watchedPath?: string } | undefined)?.watchedPath
      if (at === undefined) return
      this.#saw(basename(at) === name ? at : join(at, name), false)
      if (at === this.#root && !sameDirectory(this.#identity!, directoryAt(this.#root))) this.#gone()
    })
    watcher.on('unlinkDir', path => {
      if (path === this.#root) this.#gone()
    })
  }

  /**
   * RACE: each poll of a path compares with the one before, and nobody is told when its first one has been: what changes
   * before it is taken for how it always was. So everything is looked at once, an interval after something new.
   */
  #lookAfterFirstPoll(): void {
    if (!this.#polling || this.#lost) return
    this.#newSinceTimer = this.#firstPollTimer !== undefined
    this.#firstPollTimer ??= setTimeout(() => {
      this.#firstPollTimer = undefined
      this.#sink.hint(ROOT, true)
      if (this.#newSinceTimer) this.#lookAfterFirstPoll()
    }, POLL_INTERVAL_MS)
  }

  #saw(path: string, subtree: boolean): void {
    if (this.#lost) return
    const odd = path.includes(LOST_BYTES)
    const rel = relativeTo(this.#root, odd ? beforeOdd(path) : path)
    if (rel === undefined || isNoise(basename(path))) return
    this.#sink.hint(rel, subtree || odd)
    if (++this.#hints < SETTLE_HINTS) return
    clearTimeout(this.#settleTimer)
    this.#settleTimer = setTimeout(() => {
      this.#settling = this.#settling.then(() => this.#settle())
    }, SETTLE_MS)
  }

  /** After a burst: every folder must be under watch, and everything is looked at once more. */
  async #settle(): Promise<void> {
    if (this.#lost) return
    this.#hints = 0
    const watched = new Set(Object.keys(this.#watcher?.getWatched() ?? {}))
    if (foldersBelow(this.#root).some(folder => !watched.has(folder))) {
      await this.#watcher?.close()
      await this.#open()
    }
    this.#sink.hint(ROOT, true)
  }

  #gone(): void {
    if (this.#lost) return
    this.#lost = true
    this.#sink.rootLost()
  }

  #failed(err: unknown): void {
    if (this.#problem === undefined) {
      this.#problem = isLimit(err) ? limitProblem((err as { code: string }).code) : toPlainError(err)
      if (this.#watcher !== undefined) this.#tell()
    }
    this.#sink.hint(ROOT, true)
  }

  #tell(): void {
    this.#sink.coverage(this.#problem === undefined ? COVERED : uncoveredReport([ROOT], this.#problem))
  }
}

/** The folder around the first component that could not be named. */
function beforeOdd(path: string): string {
  let at = path
  while (at.includes(LOST_BYTES)) at = dirname(at)
  return at
}

/** Absolute paths of all folders of a tree that is small enough for this back end, the root first. */
function foldersBelow(root: AbsPath): string[] {
  const found: string[] = [root]
  for (let i = 0; i < found.length; i++) {
    try {
      for (const entry of readdirSync(found[i]!, { withFileTypes: true })) {
        const name = entry.name
        if (entry.isDirectory() && !isNoise(name) && !name.includes(LOST_BYTES)) found.push(join(found[i]!, name))
      }
    } catch {
      // Unreadable or gone.
    }
  }
  return found
}
