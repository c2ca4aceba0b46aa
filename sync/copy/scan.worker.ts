import { defineTasks, joinRel, type LinkContext, nameOf, type RelPath } from '../../storage/base/index.js'
import { AREA_NAME, copierHere, isTempName, MARKER_NAME, type SourceHandle } from '../../storage/files/index.js'
import { type Filter, type FilterInit, filter } from './filter.js'
import { PageBuilder } from './page-builder.js'
import { type FoundPage, MAX_LINKED, PAGES_AHEAD } from './pages.js'

export interface ScanInput {
  readonly source: SourceHandle
  /** Names in the source folder that are copied. */
  readonly tops: readonly string[]
  readonly filter: FilterInit
  /** Absolute paths that are ours (data directories, open libraries) or the copy's own: never entered. */
  readonly ours: readonly string[]
}

/** A directory being looked through: what is left of its names, the next one last. */
interface Frame {
  readonly dir: RelPath
  readonly names: string[]
}

export const scanning = defineTasks(import.meta.url, {
  /**
   * Looks through the sources, depth first, and emits `FoundPage`s; each post of a number lets as many more come. Holds the
   * names of the directories on the way down, and nothing of what is behind.
   */
  async scan(input: ScanInput, ctx: LinkContext): Promise<void> {
    const reader = copierHere({ source: input.source })
    try {
      await new Scan(reader, input, ctx).run()
    } finally {
      reader.close()
    }
  },

  /** The same page for paths that were found before; what is gone is left out. */
  lookAgain({ source, paths }: { source: SourceHandle; paths: readonly RelPath[] }): FoundPage {
    const reader = copierHere({ source })
    const pages: FoundPage[] = []
    const builder = new PageBuilder(false, page => pages.push(page))
    try {
      for (const path of paths) {
        try {
          const stat = reader.lookSource(path)
          if (stat !== undefined) builder.add(path, nameOf(path), stat)
        } catch (err) {
          builder.problem(path, err)
        }
      }
      builder.flush()
    } finally {
      reader.close()
    }
    return joined(pages)
  }
})

/** Sizes may have split it. */
function joined(pages: readonly FoundPage[]): FoundPage {
  const sum = (count: (page: FoundPage) => number): number => pages.reduce((n, page) => n + count(page), 0)
  return {
    links: false,
    groups: pages.flatMap(p => p.groups),
    problems: pages.flatMap(p => p.problems),
    ...{ files: sum(p => p.files), directories: sum(p => p.directories), bytes: sum(p => p.bytes) }
  }
}

class Scan {
  readonly #reader: ReturnType<typeof copierHere>
  readonly #input: ScanInput
  readonly #ctx: LinkContext
  readonly #filter: Filter
  readonly #entries: PageBuilder
  readonly #links: PageBuilder
  /** Files with several names: the path of the first, and how many names are still to come. */
  readonly #linked = new Map<string, { first: RelPath; left: number }>()
  #credit = PAGES_AHEAD
  #wake: () => void = () => {}

  constructor(reader: ReturnType<typeof copierHere>, input: ScanInput, ctx: LinkContext) {
    this.#reader = reader
    this.#input = input
    this.#ctx = ctx
    this.#filter = filter(input.filter)
    const emit = (page: FoundPage): void => {
      this.#credit--
      ctx.emit(page)
    }
    this.#entries = new PageBuilder(false, emit)
    this.#links = new PageBuilder(true, page => {
      // What the first name became must be known before a further one is made.
      this.#entries.flush()
      emit(page)
    })
    ctx.onPost((more: number) => {
      this.#credit += more
      this.#wake()
    })
    ctx.signal.addEventListener('abort', () => this.#wake(), { once: true })
  }

  async run(): Promise<void> {
    const stack: Frame[] = [{ dir: '' as RelPath, names: [...this.#input.tops].reverse() }]
    let looked = 0
    while (stack.length > 0) {
      const frame = stack.at(-1)!
      const name = frame.names.pop()
      if (name === undefined) {
        stack.pop()
        continue
      }
      const below = this.#lookAt(joinRel(frame.dir, name), name)
      if (below !== undefined) stack.push(below)
      if (++looked % LOOKS_PER_TURN === 0 || this.#credit <= 0) await this.#giveWay()
    }
    this.#entries.flush()
    this.#links.flush()
  }

  #lookAt(path: RelPath, name: string): Frame | undefined {
    try {
      const stat = this.#reader.lookSource(path)
      if (stat === undefined) return undefined // gone since its directory was read
      const directory = stat.kind === 'directory'
      if (isTempName(name) || !this.#lets(path, directory)) return undefined
      if (!directory) {
        if (stat.kind === 'file' && stat.links > 1) this.#several(path, name, stat)
        else this.#entries.add(path, name, stat)
        return undefined
      }
      if (this.#input.ours.includes(`${this.#input.source.path === '/' ? '' : this.#input.source.path}/${path}`))
        return undefined
      if (name === AREA_NAME && this.#reader.lookSource(joinRel(path, MARKER_NAME)) !== undefined) return undefined
      const names = this.#reader.list(path).sort().reverse()
      if (!this.#filter.onlyNeeded) this.#entries.add(path, name, stat)
      return { dir: path, names }
    } catch (err) {
      this.#entries.problem(path, err)
      return undefined
    }
  }

  #lets(path: RelPath, directory: boolean): boolean {
    const at = path.indexOf('/')
    if (at >= 0) return this.#filter.lets(path.slice(at + 1) as RelPath, directory)
    return directory || this.#filter.lets(path, false)
  }

  #several(
    path: RelPath,
    name: string,
    stat: NonNullable<ReturnType<ReturnType<typeof copierHere>['lookSource']>>
  ): void {
    const key = `${stat.device}:${stat.inode}`
    const known = this.#linked.get(key)
    if (known !== undefined) {
      if (--known.left <= 0) this.#linked.delete(key)
      this.#links.add(path, name, stat, known.first)
      return
    }
    if (this.#linked.size < MAX_LINKED) this.#linked.set(key, { first: path, left: stat.links - 1 })
    this.#entries.add(path, name, stat)
  }

  async #giveWay(): Promise<void> {
    do {
      await new Promise<void>(resolve => {
        this.#wake = resolve
        if (this.#credit > 0) setImmediate(resolve)
      })
      this.#ctx.signal.throwIfAborted()
    } while (this.#credit <= 0)
  }
}

/** Looks between two turns of the thread's event loop: a millisecond or two. */
const LOOKS_PER_TURN = 256
