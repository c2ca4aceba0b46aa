import type { RelPath } from '../../storage/base/index.js'

/** Folders noted of one copy; where there are more all of them are looked at. */
export const MAX_TOUCHED = 100_000

/**
 * Source folders whose counterparts are not as they are to be in the end: made, put into, or with another mode or time. A copy
 * over a finished copy finds none, and has nothing to do at its end. Lives as long as the process: after a restart nothing is
 * known, and all folders are looked at.
 */
export class Touched {
  readonly #folders = new Map<number, Set<RelPath>>()
  #count = 0
  #whole = false

  /** A walk over the sources begins. */
  begin(): void {
    this.#folders.clear()
    this.#count = 0
    this.#whole = false
  }

  /** It ended: each folder that there is was looked at. */
  ended(): void {
    this.#whole = true
  }

  add(tree: number, folders: readonly RelPath[]): void {
    const known = this.#folders.get(tree) ?? new Set()
    this.#folders.set(tree, known)
    const before = known.size
    if (this.#count <= MAX_TOUCHED) for (const folder of folders) known.add(folder)
    this.#count += known.size - before
  }

  /** undefined: it may be any of them. */
  of(tree: number): readonly RelPath[] | undefined {
    return this.#whole && this.#count <= MAX_TOUCHED ? [...(this.#folders.get(tree) ?? [])] : undefined
  }
}
