import {
  defineTasks,
  displayPath,
  joinRel,
  type LinkContext,
  nameOf,
  type RelPath,
  SpacedriveError,
  type TaskContext
} from '../../storage/base/index.js'
import { AREA_NAME, copierHere, isTempName, MARKER_NAME, type SourceHandle } from '../../storage/files/index.js'
import { type Filter, type FilterInit, filter } from './filter.js'
import { LinkedFiles } from './linked-files.js'
import { PAGES_AHEAD } from './pages.js'

export interface ScanInput {
  readonly source: SourceHandle
  /** Names in the source folder that are copied. */
  readonly tops: readonly string[]
  /** They were there when the copy began: one that is not is a problem. */
  readonly expected?: boolean | undefined
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

  /** Emits the same pages for paths that were found before; what is gone is left out. */
  async lookAgain(
    { source, paths }: { source: SourceHandle; paths: readonly RelPath[] },
    ctx: TaskContext
  ): Promise<void> {
    const reader = copierHere({ source })
    const files = new LinkedFiles(page => ctx.emit(page))
    try {
      for (const [i, path] of paths.entries()) {
        if (i % LOOKS_PER_TURN === 0) await new Promise(resolve => setImmediate(resolve))
        ctx.signal.throwIfAborted()
        try {
          const stat = reader.lookSource(path)
          if (stat !== undefined) files.add(path, nameOf(path), stat)
        } catch (err) {
          files.problem(path, err)
        }
      }
      files.flush()
    } finally {
      reader.close()
    }
  }
})

class Scan {
  readonly #reader: ReturnType<typeof copierHere>
  readonly #input: ScanInput
  readonly #ctx: LinkContext
  readonly #filter: Filter
  readonly #entries: LinkedFiles
  #credit = PAGES_AHEAD
  #wake: () => void = () => {}

  constructor(reader: ReturnType<typeof copierHere>, input: ScanInput, ctx: LinkContext) {
    this.#reader = reader
    this.#input = input
    this.#ctx = ctx
    this.#filter = filter(input.filter)
    this.#entries = new LinkedFiles(page => {
      this.#credit--
      ctx.emit(page)
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
  }

  #lookAt(path: RelPath, name: string): Frame | undefined {
    try {
      const stat = this.#reader.lookSource(path)
      if (stat === undefined) {
        // Else it is gone since its directory was read.
        if (path === name && this.#input.expected === true) this.#entries.problem(path, missing(path))
        return undefined
      }
      const directory = stat.kind === 'directory'
      if (isTempName(name) || !this.#lets(path, directory)) return undefined
      if (!directory) {
        this.#entries.add(path, name, stat)
        return undefined
      }
      if (this.#input.ours.includes(`${this.#input.source.path === '/' ? '' : this.#input.source.path}/${path}`))
        return undefined
      if (name === AREA_NAME && this.#reader.lookSource(joinRel(path, MARKER_NAME)) !== undefined) return undefined
      const names = this.#reader.source.list(path).sort().reverse()
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

const missing = (path: RelPath): SpacedriveError =>
  new SpacedriveError('MISSING', `could not copy ${displayPath(path)}: it is no longer there`)

/** Looks between two turns of the thread's event loop: a millisecond or two. */
const LOOKS_PER_TURN = 256
