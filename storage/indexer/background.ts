import { isAbort, type Problem, SpacedriveError } from '../base/index.js'
import type { Library } from '../libraries/index.js'
import { indexing, type Written } from './apply.worker.js'
import type { Identifier } from './identifier.js'
import type { IndexerParts } from './parts.js'

/** Names are taken up when nothing was written for so long: a burst of changes shares one go, and search finds them meanwhile too. */
const NAMES_AFTER_MS = 100
/** Names taken up after which they are merged; of fewer FTS5 takes care itself. */
const MERGE_AFTER = 32_000
/** A stat that lay too near the reading is far enough away by then. */
const RACY_AGAIN_MS = 100
/** How often a file that does not keep still is read again before it waits for the next look. */
const MAX_TRIES = 3

interface Work {
  readonly controller: AbortController
  names: Promise<void> | undefined
  namesWanted: boolean
  /** Names taken up since they were last merged. */
  namesTaken: number
  /** A merge was begun and gave way to names. */
  mergeLeft: boolean
  merging: Promise<void> | undefined
  walking: number
  /** Hashing after changes: one after another, all of it. */
  contents: Promise<void>
  timers: Set<{ clear(): void }>
}

export interface HashWork {
  readonly library: Library
  readonly root: number
  readonly ids: readonly number[]
  readonly tries?: number
  /** Looks at files again (absolute paths) that are no more what their row says. */
  lookAgain(paths: readonly string[]): Promise<void>
}

/** What the indexer does behind the answer: names into the trigram index, contents of files that changed. */
export class Background {
  readonly #parts: IndexerParts
  readonly #work = new Map<Library, Work>()

  constructor(parts: IndexerParts) {
    this.#parts = parts
  }

  wrote(library: Library, { counts }: Written): void {
    if (counts.created + counts.deleted + counts.moved === 0) return
    const work = this.#of(library)
    work.namesWanted = true
    if (work.walking === 0) this.#later(work, NAMES_AFTER_MS, () => void this.names(library).catch(() => {}))
  }

  /** Names wait while a tree is walked: the writer has enough to do. @returns how to end that */
  walk(library: Library): () => void {
    const work = this.#of(library)
    work.walking++
    return () => {
      work.walking--
      if (work.namesWanted && work.walking === 0) void this.names(library).catch(() => {})
    }
  }

  /** Takes up all names there are now. */
  async names(library: Library, signal?: AbortSignal): Promise<void> {
    const work = this.#of(library)
    while (work.namesWanted || work.names !== undefined) {
      signal?.throwIfAborted()
      work.names ??= this.#takeNames(library, work).finally(() => {
        work.names = undefined
      })
      await work.names
    }
    if (work.mergeLeft || work.namesTaken >= MERGE_AFTER) {
      work.merging ??= this.#merge(library, work).finally(() => {
        work.merging = undefined
      })
    }
  }

  /** Nobody waits for it: names are searchable before, and more quickly after. */
  async #merge(library: Library, work: Work): Promise<void> {
    try {
      do {
        work.mergeLeft = await library.database.write(indexing.mergeNames, { taken: work.namesTaken })
        work.namesTaken = 0
      } while (work.mergeLeft && !work.controller.signal.aborted && work.names === undefined)
    } catch (err) {
      if (!work.controller.signal.aborted) this.#parts.log.warn('names could not be merged', { err })
    }
  }

  async #takeNames(library: Library, work: Work): Promise<void> {
    work.namesWanted = false
    try {
      let more = true
      while (more && !work.controller.signal.aborted) {
        const done = await library.database.write(indexing.indexNames, undefined)
        work.namesTaken += done.taken
        more = done.more
      }
    } catch (err) {
      if (!work.controller.signal.aborted) this.#parts.log.warn('names could not be taken up', { err })
    }
  }

  hash(identifier: Identifier, job: HashWork): void {
    if (job.ids.length === 0) return
    const work = this.#of(job.library)
    work.contents = work.contents.then(() => this.#hash(identifier, job, work))
  }

  async #hash(identifier: Identifier, job: HashWork, work: Work): Promise<void> {
    const { signal } = work.controller
    if (signal.aborted) return
    const { library, root, ids, tries = 1 } = job
    const onProblem = (problem: Problem): void => this.#parts.log.debug('a file could not be read', { ...problem })
    try {
      const { racy, outdated } = await identifier.identifyEntries({ library, root, ids, signal, onProblem })
      if (outdated.length > 0 && tries < MAX_TRIES) await job.lookAgain(outdated)
      if (racy.length > 0 && tries < MAX_TRIES) {
        this.#later(work, RACY_AGAIN_MS, () => this.hash(identifier, { ...job, ids: racy, tries: tries + 1 }))
      }
    } catch (err) {
      if (!signal.aborted && !isAbort(err)) this.#parts.log.warn('contents could not be read', { err })
    }
  }

  async settled(library: Library): Promise<void> {
    const work = this.#work.get(library)
    if (work === undefined) return
    for (;;) {
      const { contents } = work
      await contents
      if (work.timers.size > 0) {
        await new Promise(resolve => setTimeout(resolve, 10))
        continue
      }
      await this.names(library)
      await work.merging
      if (work.contents === contents && work.timers.size === 0 && work.names === undefined) return
    }
  }

  /** Ends all of it for a library that is to be closed. */
  async stop(library: Library): Promise<void> {
    const work = this.#work.get(library)
    if (work === undefined) return
    this.#work.delete(library)
    work.controller.abort(new SpacedriveError('STOPPED', 'the library is being closed'))
    for (const timer of work.timers) timer.clear()
    work.timers.clear()
    await Promise.allSettled([work.contents, work.names, work.merging])
  }

  #later(work: Work, ms: number, then: () => void): void {
    const timer = this.#parts.clock.timer(() => {
      work.timers.delete(timer)
      then()
    }, ms)
    work.timers.add(timer)
  }

  #of(library: Library): Work {
    let work = this.#work.get(library)
    if (work === undefined) {
      const controller = new AbortController()
      work = {
        controller,
        names: undefined,
        namesWanted: false,
        namesTaken: 0,
        mergeLeft: false,
        merging: undefined,
        walking: 0,
        contents: Promise.resolve(),
        timers: new Set()
      }
      this.#work.set(library, work)
    }
    return work
  }
}
