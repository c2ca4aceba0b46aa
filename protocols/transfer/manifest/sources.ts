import { dirname } from 'node:path'
import { type AbsPath, nameOf, type RelPath } from '../../../storage/base/index.js'
import { type TreeReader, treeReader } from '../../../storage/files/index.js'

export interface NamedSource {
  readonly path: AbsPath
  /** Its top-level name in the manifest: each name once. */
  readonly name: string
}

/** What stands at a path of this device, as it is reached from the folder that holds the source. */
export interface SourcePlace {
  /** Good until the next source is asked for. */
  readonly reader: TreeReader
  readonly rel: RelPath
}

/**
 * Sources, looked at and opened beneath the folder that holds each: no link is followed, not even one that has taken a
 * directory's place since it was looked at. For a worker; one folder is open at a time, since sources come one after the other.
 */
export class Sources {
  #open: { readonly dir: string; readonly reader: TreeReader } | undefined

  /** @throws {SpacedriveError} MISSING, NO_PERMISSION, ... for the folder that holds the source */
  find(source: AbsPath): SourcePlace {
    const dir = dirname(source)
    if (this.#open?.dir !== dir) {
      this.close()
      this.#open = { dir, reader: treeReader({ path: dir as AbsPath, passing: true }) }
    }
    return { reader: this.#open!.reader, rel: nameOf(source as string as RelPath) as string as RelPath }
  }

  close(): void {
    this.#open?.reader.close()
    this.#open = undefined
  }
}
