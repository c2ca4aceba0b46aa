import { hasCode, joinRel, type RelPath, ROOT } from '../../../storage/base/index.js'
import { isFatal, type TreeReader } from '../../../storage/files/index.js'
import type { TreeEntry } from '../entry.js'
import { PAGE_ENTRIES } from '../limits.js'
import { entryAt, type LookRules, problemOf, shownNames } from './look.js'

/** A directory being gone through: what is left of its names, the next one last. */
interface Frame {
  readonly dir: RelPath
  readonly names: string[]
  readonly depth: number
}

/** Where pages go, within the thread that walks. */
export interface PageSink {
  send(entries: readonly TreeEntry[]): Promise<void>
  /** Lets messages in, now and then. */
  giveWay(): Promise<void>
}

export interface WalkerInit {
  readonly reader: TreeReader
  readonly rules: LookRules
  readonly sink: PageSink
  readonly except: ReadonlySet<string>
}

/** Looks between two turns of the thread's event loop: a millisecond or two. */
const LOOKS_PER_TURN = 256
/** How often a name that keeps changing its kind is looked at again. */
const MAX_AGAIN = 3

/** Goes through a tree in tree order and sends pages. Holds the names of the directories on the way down and one page. */
export class Walker {
  readonly #init: WalkerInit
  #page: TreeEntry[] = []
  #looked = 0

  constructor(init: WalkerInit) {
    this.#init = init
  }

  /** `path` itself, then what is below it. @param depth - levels below it that are shown */
  async walk(first: TreeEntry, depth: number): Promise<void> {
    const stack: Frame[] = []
    await this.#take(first, depth, stack)
    while (stack.length > 0) {
      const frame = stack.at(-1)!
      const name = frame.names.pop()
      if (name === undefined) {
        stack.pop()
        this.#init.reader.forget(frame.dir)
        continue
      }
      const entry = entryAt(this.#init.reader, joinRel(frame.dir, name), this.#init.rules)
      if (entry !== undefined) await this.#take(entry, frame.depth, stack)
      if (++this.#looked % LOOKS_PER_TURN === 0) await this.#init.sink.giveWay()
    }
    await this.#flush()
  }

  /** What is right below a directory, in pages. */
  async list(dir: RelPath): Promise<void> {
    for (const name of shownNames(this.#init.reader.list(dir))) {
      const entry = entryAt(this.#init.reader, joinRel(dir, name), this.#init.rules)
      if (entry !== undefined) await this.#add(entry)
      if (++this.#looked % LOOKS_PER_TURN === 0) await this.#init.sink.giveWay()
    }
    await this.#flush()
  }

  /** Adds an entry, and pushes its listing where it is a directory that is entered: listed first, so that it can say that it cannot be. */
  async #take(entry: TreeEntry, depth: number, stack: Frame[], again = 0): Promise<void> {
    const { reader, rules, except } = this.#init
    const { path, stat } = entry
    if (stat.kind !== 'directory' || entry.unknown !== undefined || depth <= 0 || except.has(path)) {
      return this.#add(entry)
    }
    let names: string[]
    try {
      names = shownNames(reader.list(path))
    } catch (err) {
      if (isFatal(err)) throw err
      // Of the root itself nobody would be told, and everything in it taken for gone.
      if (path === ROOT) throw err
      if (!hasCode(err, 'MISSING', 'LINK_IN_PATH') || again === MAX_AGAIN) {
        return this.#add({ ...entry, unknown: 'unreadable', problem: problemOf(path, err) })
      }
      const now = entryAt(reader, path, rules)
      return now === undefined ? undefined : this.#take(now, depth, stack, again + 1)
    }
    await this.#add(entry)
    stack.push({ dir: path, names: names.reverse(), depth: depth - 1 })
  }

  async #add(entry: TreeEntry): Promise<void> {
    this.#page.push(entry)
    if (this.#page.length >= PAGE_ENTRIES) await this.#flush()
  }

  async #flush(): Promise<void> {
    if (this.#page.length === 0) return
    const page = this.#page
    this.#page = []
    await this.#init.sink.send(page)
  }
}
