import type { RelPath } from '../../storage/base/index.js'
import type { EntryStat } from '../../storage/files/index.js'
import { PageBuilder } from './page-builder.js'
import { type FoundPage, MAX_LINKED } from './pages.js'

/** Gathers what is found into pages; further names of a file that has several come in pages of their own, behind the first. */
export class LinkedFiles {
  readonly #entries: PageBuilder
  readonly #links: PageBuilder
  /** Files with several names: the path of the first, and how many names are still to come. */
  readonly #known = new Map<string, { first: RelPath; left: number }>()

  constructor(emit: (page: FoundPage) => void) {
    this.#entries = new PageBuilder({ links: false }, emit)
    this.#links = new PageBuilder({ links: true }, page => {
      // What the first name became must be known before a further one is made.
      this.#entries.flush()
      emit(page)
    })
  }

  add(path: RelPath, name: string, stat: EntryStat): void {
    if (stat.kind !== 'file' || stat.links < 2) {
      this.#entries.add(path, name, stat)
      return
    }
    const key = `${stat.device}:${stat.inode}`
    const known = this.#known.get(key)
    if (known !== undefined) {
      if (--known.left <= 0) this.#known.delete(key)
      this.#links.add(path, name, stat, known.first)
      return
    }
    if (this.#known.size < MAX_LINKED) this.#known.set(key, { first: path, left: stat.links - 1 })
    this.#entries.add(path, name, stat)
  }

  problem(path: string, err: unknown): void {
    this.#entries.problem(path, err)
  }

  flush(): void {
    this.#entries.flush()
    this.#links.flush()
  }
}
