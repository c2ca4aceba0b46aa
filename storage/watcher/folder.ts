import type { FSWatcher } from 'node:fs'
import { joinRel, type RelPath, ROOT } from '../base/index.js'

/** One directory under watch. A tree of 100,000 of them takes some 130 MB, most of it in the watch handles. */
export class Folder {
  readonly name: string
  readonly parent: Folder | undefined
  readonly children = new Map<string, Folder>()
  watcher: FSWatcher | undefined
  /** Code of why it is not watched; nothing below it is then. */
  unwatched: string | undefined
  dropped = false

  constructor(name: string, parent: Folder | undefined) {
    this.name = name
    this.parent = parent
  }

  get path(): RelPath {
    return this.parent === undefined ? ROOT : joinRel(this.parent.path, this.name)
  }

  /** Ends the watches of the whole subtree. */
  drop(onDropped: (folder: Folder) => void): void {
    const stack: Folder[] = [this]
    for (let folder = stack.pop(); folder !== undefined; folder = stack.pop()) {
      folder.dropped = true
      folder.watcher?.close()
      folder.watcher = undefined
      onDropped(folder)
      stack.push(...folder.children.values())
    }
    this.parent?.children.delete(this.name)
  }
}
