import {
  type AbortOptions,
  joinRel,
  nameOf,
  type Problem,
  parentOf,
  type RelPath
} from '../../../storage/base/index.js'
import {
  type EntryStat,
  freeNames,
  MAX_BATCH_STEPS,
  type PlaceStep,
  type StagedSource
} from '../../../storage/files/index.js'
import type { Endpoint, EndpointStage } from '../../endpoints/index.js'
import type { SourcesGone } from './placing.js'

/** What was moved lies aside until so much of it is there: then its space is given back. */
const ASIDE_BYTES = 256 * 1024 * 1024

/**
 * Takes away the sources of a move. A file goes aside first and only if it still is what was copied (storage/files, `remove`),
 * then for good; a folder goes when nothing is in it.
 */
export class MovedAway implements SourcesGone {
  readonly #source: Endpoint
  readonly #id: string
  readonly #run: string
  readonly #problem: (problem: Problem) => void
  #stage: EndpointStage | undefined
  #bytes = 0
  #n = 0
  #folders: RelPath[] = []
  /** Something lies aside that could not be put back. */
  #left = false

  /** @param id - of the staging place in the source's root */
  constructor(source: Endpoint, init: { id: string; run: string; problem(problem: Problem): void }) {
    this.#source = source
    this.#id = init.id
    this.#run = init.run
    this.#problem = init.problem
  }

  async files(list: readonly { path: RelPath; stat: EntryStat }[], options: AbortOptions): Promise<readonly boolean[]> {
    this.#stage ??= await this.#source.openStage(this.#id, options)
    const gone: boolean[] = []
    for (let at = 0; at < list.length; at += MAX_BATCH_STEPS) {
      const some = list.slice(at, at + MAX_BATCH_STEPS)
      const steps = some.map(
        ({ path, stat }): PlaceStep => ({
          ...{ kind: 'remove', path, expected: stat },
          aside: { staging: this.#id, path: `gone/${this.#run}/${this.#n++}` as RelPath }
        })
      )
      for (const [i, result] of (await this.#source.place(steps, options)).entries()) {
        gone.push(result.done)
        if (result.done) this.#bytes += some[i]!.stat.sizeBytes
        else this.#problem(result.problem)
        if (!result.done && typeof result.keptAt === 'object')
          await this.#putBack(some[i]!.path, result.keptAt, options)
      }
    }
    if (this.#bytes >= ASIDE_BYTES) await this.#empty(options)
    return gone
  }

  /** Somebody wrote to it right before it went aside, and somebody else took its name right after: it gets one beside that. */
  async #putBack(path: RelPath, from: StagedSource, options: AbortOptions): Promise<void> {
    for (const name of freeNames(nameOf(path), false)) {
      const [result] = await this.#source.place(
        [{ kind: 'create', path: joinRel(parentOf(path), name), from }],
        options
      )
      if (result?.done === true) return
      if (result?.problem.code === 'EXISTS') continue
      this.#left = true
      if (result !== undefined) this.#problem(result.problem)
      return
    }
  }

  async folder(path: RelPath, options: AbortOptions): Promise<void> {
    this.#folders.push(path)
    if (this.#folders.length >= MAX_BATCH_STEPS) await this.#removeFolders(options)
  }

  async end(options: AbortOptions): Promise<void> {
    await this.#removeFolders(options)
    // Also what an earlier run had put aside.
    this.#stage ??= await this.#source.openStage(this.#id, options)
    await this.#empty(options)
  }

  async close(): Promise<void> {
    await this.#stage?.close().catch(() => {}) // what it held is found again by its id
    this.#stage = undefined
  }

  /** What is still in one stays, and the folder with it. */
  async #removeFolders(options: AbortOptions): Promise<void> {
    const folders = this.#folders.splice(0)
    if (folders.length === 0) return
    const results = await this.#source.place(
      folders.map(path => ({ kind: 'remove-directory', path })),
      options
    )
    for (const result of results) if (!result.done && !STAYS.has(result.problem.code)) this.#problem(result.problem)
  }

  async #empty(options: AbortOptions): Promise<void> {
    if (this.#left) return // what is nobody's copy is in there: it stays
    await this.#stage?.discard(options)
    this.#stage = undefined
    this.#bytes = 0
  }
}

const STAYS = new Set(['NOT_EMPTY', 'EXISTS', 'MISSING'])
