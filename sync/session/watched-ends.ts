import { type AbsPath, displayPath, errorCode } from '../../storage/base/index.js'
import {
  chooseBackend,
  type Watch,
  type WatchChange,
  type Watcher,
  type WatchRequest
} from '../../storage/watcher/index.js'
import { ENDS, type End } from '../reconcile/index.js'

export interface WatchedEndsInit {
  readonly watcher: Watcher
  isNetwork(path: AbsPath): Promise<boolean>
  changed(end: End, changes: readonly WatchChange[]): void
  /** A folder is no longer watched: it is gone, or was replaced. */
  lost(end: End): void
  /** What cannot be seen at once is otherwise now. */
  noted(): void
}

/** The watches of both ends of a sync. */
export class WatchedEnds {
  readonly #init: WatchedEndsInit
  readonly #watches: Partial<Record<End, Watch>> = {}
  readonly #notes: Partial<Record<End, string>> = {}

  constructor(init: WatchedEndsInit) {
    this.#init = init
  }

  get complete(): boolean {
    return ENDS.every(end => this.#watches[end] !== undefined)
  }

  /** What is not seen at once, in words with the cure. */
  get notes(): readonly string[] {
    return ENDS.flatMap(end => this.#notes[end] ?? [])
  }

  /** @returns the ends of which a watch began: there nothing is known of what happened before; undefined: one is not there */
  async begin(roots: Readonly<Record<End, AbsPath>>): Promise<readonly End[] | undefined> {
    const begun: End[] = []
    for (const end of ENDS) {
      if (this.#watches[end] !== undefined) continue
      const root = roots[end]
      try {
        // The tree is of unknown size: of the back ends that of a large one.
        const entries = Number.POSITIVE_INFINITY
        const network = await this.#init.isNetwork(root)
        const backend = chooseBackend({ platform: process.platform, network, entries })
        this.#watches[end] = await this.#watch(end, { root, backend }).catch(err => {
          if (GONE.has(errorCode(err))) throw err
          return this.#watch(end, { root, backend: 'walk' })
        })
      } catch {
        return undefined
      }
      begun.push(end)
      if (this.#watches[end].backend === 'walk')
        this.#notes[end] = `${displayPath(root)} cannot be watched: it is looked at every 30 seconds.`
    }
    return begun
  }

  async stop(): Promise<void> {
    for (const end of ENDS) {
      const watch = this.#watches[end]
      delete this.#watches[end]
      await watch?.stop()
    }
  }

  #watch(end: End, request: WatchRequest): Promise<Watch> {
    delete this.#notes[end]
    return this.#init.watcher.watch(request, {
      changes: async batch => this.#init.changed(end, batch),
      coverage: ({ complete, problem }) => {
        if (complete) delete this.#notes[end]
        else this.#notes[end] = `${problem?.message ?? 'not everything can be watched'}. ${problem?.hint ?? ''}`.trim()
        this.#init.noted()
      },
      rootLost: () => {
        const lost = this.#watches[end]
        delete this.#watches[end]
        void lost?.stop()
        this.#init.lost(end)
      }
    })
  }
}

/** What a folder that is not there says: then looking at it again and again tells no more. */
const GONE = new Set(['LOCATION_OFFLINE', 'ENOENT', 'ENOTDIR', 'MISSING'])
