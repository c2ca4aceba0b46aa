import {
  type AbortOptions,
  displayPath,
  type JobId,
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
  MAX_TRASH_BATCH,
  type PlaceStep
} from '../../../storage/files/index.js'
import type { Endpoint, EndpointStage } from '../../endpoints/index.js'
import type { SourcesGone } from './placing.js'

/** What was moved lies aside until so much of it is there: then its space is given back. */
const ASIDE_BYTES = 256 * 1024 * 1024

/**
 * A source on its way aside, written down before: until that device has said that what went is what was copied, it may be an edit that
 * came in that moment, and nobody's copy.
 */
export interface Taking {
  readonly path: RelPath
  /** Where it lies in the staging place. */
  readonly at: RelPath
}

export interface MovedAwayInit {
  /** Of the staging place in the source's root. */
  readonly id: string
  readonly run: string
  /** Of the trash there. */
  readonly command: 'file.move' | 'file.delete'
  /** What an earlier try left. */
  readonly left?: readonly Taking[] | undefined
  /** Durable on return, unless there is nothing. */
  taking(list: readonly Taking[]): Promise<void>
  problem(problem: Problem): void
}

/**
 * Takes away the sources of a move. A file goes aside first and only if it still is what was copied (storage/files, `remove`),
 * then for good; a folder goes when nothing is in it.
 */
export class MovedAway implements SourcesGone {
  readonly #source: Endpoint
  readonly #init: MovedAwayInit
  #stage: EndpointStage | undefined
  #bytes = 0
  #n = 0
  #folders: RelPath[] = []
  /** What may be nobody's copy: as long as it lies aside, nothing there is thrown away. */
  #left: readonly Taking[]

  constructor(source: Endpoint, init: MovedAwayInit) {
    this.#source = source
    this.#init = init
    this.#left = init.left ?? []
  }

  /**
   * What an earlier try was about to take away when it was cut short gets its name again: it is looked at like any other source.
   * @returns false when some of it could not: it stays aside, and was told
   */
  async putBack(options: AbortOptions): Promise<boolean> {
    if (this.#left.length === 0) return true
    this.#stage ??= await this.#source.openStage(this.#init.id, options)
    await this.#note(await this.#back(this.#left, options))
    return this.#left.length === 0
  }

  async files(list: readonly { path: RelPath; stat: EntryStat }[], options: AbortOptions): Promise<readonly boolean[]> {
    const { id, run, problem } = this.#init
    this.#stage ??= await this.#source.openStage(id, options)
    const gone: boolean[] = []
    for (let at = 0; at < list.length; at += MAX_BATCH_STEPS) {
      const some = list.slice(at, at + MAX_BATCH_STEPS)
      const takings = some.map(({ path }): Taking => ({ path, at: `gone/${run}/${this.#n++}` as RelPath }))
      const steps = some.map(
        ({ path, stat }, i): PlaceStep => ({
          ...{ kind: 'remove', path, expected: stat },
          aside: { staging: id, path: takings[i]!.at }
        })
      )
      const left = this.#left
      await this.#note([...left, ...takings])
      const lost: Taking[] = []
      for (const [i, result] of (await this.#source.place(steps, options)).entries()) {
        gone.push(result.done)
        if (result.done) this.#bytes += some[i]!.stat.sizeBytes
        else {
          problem(result.problem)
          if (typeof result.keptAt === 'object') lost.push(takings[i]!)
        }
      }
      await this.#note([...left, ...(await this.#back(lost, options))])
    }
    if (this.#bytes >= ASIDE_BYTES) await this.#empty(options)
    return gone
  }

  async #note(left: readonly Taking[]): Promise<void> {
    this.#left = left
    await this.#init.taking(left)
  }

  /**
   * Under its name; where somebody else took that, under one beside it; where it can have none (the folder around it is gone), into the
   * trash of that device.
   * @returns what stays aside
   */
  async #back(list: readonly Taking[], options: AbortOptions): Promise<Taking[]> {
    const nameless: Taking[] = []
    for (let from = 0; from < list.length; from += MAX_BATCH_STEPS) {
      const some = list.slice(from, from + MAX_BATCH_STEPS)
      for (const [i, code] of (await this.#create(some, options)).entries())
        if (code === 'EXISTS' ? !(await this.#beside(some[i]!, options)) : code !== undefined) nameless.push(some[i]!)
    }
    return this.#throwAway(nameless, options)
  }

  /** @returns of each why it has no name */
  async #create(list: readonly Taking[], options: AbortOptions): Promise<(string | undefined)[]> {
    const steps = list.map(
      ({ path, at }): PlaceStep => ({ kind: 'create', path, from: { staging: this.#init.id, path: at } })
    )
    const results = await this.#source.place(steps, options)
    return results.map(result => (result.done ? undefined : result.problem.code))
  }

  async #beside({ path, at }: Taking, options: AbortOptions): Promise<boolean> {
    for (const name of freeNames(nameOf(path), false)) {
      const [code] = await this.#create([{ path: joinRel(parentOf(path), name), at }], options)
      if (code !== 'EXISTS') return code === undefined
    }
    return false
  }

  /** As files, or else as links: of what it is nothing is known. */
  async #throwAway(list: readonly Taking[], options: AbortOptions): Promise<Taking[]> {
    const { id, command, problem } = this.#init
    const left: Taking[] = []
    const put = async (some: readonly Taking[], kind: 'file' | 'symlink'): Promise<void> => {
      const items = some.map(({ path, at }) => ({ path, expected: { kind }, from: { staging: id, path: at } }))
      const outcomes = await this.#source.trash(items, { command, job: id as JobId, ...options })
      for (const [i, outcome] of outcomes.entries()) {
        // It never went aside, or was put back already.
        if (outcome.done || outcome.problem.code === 'MISSING') continue
        if (kind === 'file' && outcome.problem.code === 'CHANGED') await put([some[i]!], 'symlink')
        else {
          left.push(some[i]!)
          problem(staysAside(some[i]!, id, outcome.problem))
        }
      }
    }
    for (let from = 0; from < list.length; from += MAX_TRASH_BATCH)
      await put(list.slice(from, from + MAX_TRASH_BATCH), 'file')
    return left
  }

  async folder(path: RelPath, options: AbortOptions): Promise<void> {
    this.#folders.push(path)
    if (this.#folders.length >= MAX_BATCH_STEPS) await this.#removeFolders(options)
  }

  async end(options: AbortOptions): Promise<void> {
    await this.#removeFolders(options)
    // Also what an earlier run had put aside.
    this.#stage ??= await this.#source.openStage(this.#init.id, options)
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
    for (const result of results)
      if (!result.done && !STAYS.has(result.problem.code)) this.#init.problem(result.problem)
  }

  async #empty(options: AbortOptions): Promise<void> {
    if (this.#left.length > 0) return // what is nobody's copy is in there: it stays
    await this.#stage?.discard(options)
    this.#stage = undefined
    this.#bytes = 0
  }
}

const staysAside = ({ path, at }: Taking, id: string, { message }: Problem): Problem => ({
  path: displayPath(path),
  code: 'STAGING_LEFT',
  message: `what was written to ${displayPath(path)} while it was taken away stays there, hidden, in the staging place ${id} as ${at}: ${message}`
})

const STAYS = new Set(['NOT_EMPTY', 'EXISTS', 'MISSING'])
