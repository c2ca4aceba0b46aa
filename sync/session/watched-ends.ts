import { lstat } from 'node:fs/promises'
import { type AbsPath, fsPath } from '../../storage/base/index.js'
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

/** A watch, and of what: where, and for a folder of this device which one. */
interface Watched extends EndWatch {
  readonly path: string
  readonly folder: string | undefined
}

/** The watches of both ends of a sync. */
export class WatchedEnds {
  readonly #init: WatchedEndsInit
  readonly #watches: Partial<Record<End, Watched>> = {}
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

  /**
   * A watch follows the folder it was put on: where something is mounted on its name, or no longer is, nothing tells. So each time it
   * is asked whether that is the folder there still.
   * @returns the ends of which a watch began: there nothing is known of what happened before; undefined: one is not there
   */
  async begin(ends: Readonly<Record<End, SyncEnd>>): Promise<readonly End[] | undefined> {
    const begun: End[] = []
    for (const end of ENDS) {
      const watch = this.#watches[end]
      if (watch !== undefined) {
        if (watch.path === ends[end].path && watch.folder === (await folderAt(ends[end]))) continue
        delete this.#watches[end]
        await watch.stop()
      }
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
    const folder = await folderAt(at)
    const watch = await (at.device === null
      ? watchFolder(this.#init, at.path, listener)
      : this.#init.watchFar(at, listener))
    // It may have been lost before anybody could say so of it.
    if (lost) await watch.stop()
    else this.#watches[end] = { path: at.path, folder, stop: () => watch.stop() }
  }
}

/** Which folder of this device is there; undefined: none, or it is another device's. */
async function folderAt({ device, path }: SyncEnd): Promise<string | undefined> {
  if (device !== null) return undefined
  const found = await lstat(fsPath(path as AbsPath), { bigint: true }).catch(() => undefined)
  return found && `${found.dev}:${found.ino}:${found.birthtimeNs}`
}
