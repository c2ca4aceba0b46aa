import type { Watch, WatchChange } from '../../storage/watcher/index.js'
import { ENDS, type End } from '../reconcile/index.js'
import type { SyncEnd } from './record.js'
import { type FolderListener, type WatchFolderInit, watchFolder } from './watch-folder.js'

/** What is watched of an end, wherever it lies. */
export type EndWatch = Pick<Watch, 'stop'>

export interface WatchedEndsInit extends WatchFolderInit {
  /** Watches an end that lies on another device. @throws when that is away, or does not serve it */
  watchFar(end: SyncEnd, listener: FolderListener): Promise<EndWatch>
  changed(end: End, changes: readonly WatchChange[]): void
  /** A folder is no longer watched: it is gone, or was replaced. */
  lost(end: End): void
  /** What cannot be seen at once is otherwise now. */
  noted(): void
}

/** The watches of both ends of a sync. */
export class WatchedEnds {
  readonly #init: WatchedEndsInit
  readonly #watches: Partial<Record<End, EndWatch>> = {}
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
  async begin(ends: Readonly<Record<End, SyncEnd>>): Promise<readonly End[] | undefined> {
    const begun: End[] = []
    for (const end of ENDS) {
      if (this.#watches[end] !== undefined) continue
      try {
        await this.#watch(end, ends[end])
      } catch {
        return undefined
      }
      begun.push(end)
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

  async #watch(end: End, at: SyncEnd): Promise<void> {
    delete this.#notes[end]
    let lost = false
    const listener: FolderListener = {
      changed: changes => this.#init.changed(end, changes),
      note: text => {
        if (text === undefined) delete this.#notes[end]
        else this.#notes[end] = text
        this.#init.noted()
      },
      lost: () => {
        lost = true
        const watch = this.#watches[end]
        delete this.#watches[end]
        void watch?.stop()
        this.#init.lost(end)
      }
    }
    const watch = await (at.device === null
      ? watchFolder(this.#init, at.path, listener)
      : this.#init.watchFar(at, listener))
    // It may have been lost before anybody could say so of it.
    if (lost) await watch.stop()
    else this.#watches[end] = watch
  }
}
