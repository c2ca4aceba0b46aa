import { displayPath, type Problem } from '../../storage/base/index.js'
import { MAX_LISTED_PROBLEMS } from './limits.js'
import type { Manifest, ManifestEntry } from './manifest/types.js'

/** What a code means for a path, in words; the other device tells codes alone. */
const MEANINGS: Readonly<Record<string, string>> = {
  CHANGED: 'it changed since it was offered',
  MISSING: 'it is not there any more',
  UNREADABLE: 'it could not be read',
  NAME_TOO_LONG: 'its name is too long for the disk of the receiver',
  NAME_REFUSED: 'the disk of the receiver cannot hold such a name',
  NAME_COLLISION: 'the disk of the receiver takes its name for the same as another one',
  FILE_TOO_LARGE: 'it is too large for the file system of the receiver',
  LINK_IN_PATH: 'something else stands in its way at the receiver',
  NO_PERMISSION: 'the receiver may not write it'
}

export interface ListedProblem {
  readonly file: number
  readonly code: string
  readonly by: 'sender' | 'receiver'
}

/** Problems of one transfer by entry: each once, the first word on it counts. */
export class ProblemList {
  static of(listed: readonly ListedProblem[]): ProblemList {
    const list = new ProblemList()
    for (const { file, code, by } of listed) list.add(file, code, by)
    return list
  }

  readonly #codes = new Map<number, { code: string; by: 'sender' | 'receiver' }>()

  add(file: number, code: string, by: 'sender' | 'receiver'): void {
    if (!this.#codes.has(file)) this.#codes.set(file, { code, by })
  }

  has(file: number): boolean {
    return this.#codes.has(file)
  }

  get count(): number {
    return this.#codes.size
  }

  clear(): void {
    this.#codes.clear()
  }

  /** The first of them, as plain values. */
  list(): ListedProblem[] {
    return [...this.#codes].slice(0, MAX_LISTED_PROBLEMS).map(([file, { code, by }]) => ({ file, code, by }))
  }

  /** With paths, in manifest order, as many as are listed one by one. */
  async describe(
    manifest: Manifest,
    entries: (manifest: Manifest) => AsyncIterable<readonly ManifestEntry[]>
  ): Promise<Problem[]> {
    const list: Problem[] = []
    if (this.#codes.size === 0) return list
    for await (const page of entries(manifest)) {
      for (const { index, path } of page) {
        const found = this.#codes.get(index)
        if (found === undefined) continue
        const shown = displayPath(path)
        const why = MEANINGS[found.code] ?? `the ${found.by} said ${found.code}`
        list.push({ path: shown, code: found.code, message: `could not transfer ${shown}: ${why}` })
        if (list.length >= MAX_LISTED_PROBLEMS) return list
      }
    }
    return list
  }
}
