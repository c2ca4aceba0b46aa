/**
 * What the driver of a sync may have of the versions that its end here keeps, for a way back that it goes. The store belongs to the folder,
 * whoever wrote into it; a driver is told of what was lost there since its sync was accepted: all of that it could read in the
 * folder until then, and nothing that had gone before.
 */
import {
  type AbortOptions,
  type AbsPath,
  type ContentHash,
  type Problem,
  type RelPath,
  SpacedriveError,
  type WorkerPool
} from '../../storage/base/index.js'
import type { Endpoint, EndpointKept, EndpointStage, KeptContents, KeptPage, KeptWanted } from '../endpoints/index.js'
import { openStoreAt, type StoreAt } from '../history/index.js'
import { stageContent } from '../session/index.js'
import { formatLine, type VersionLine } from '../versions/index.js'
import { KEPT_PAGE_LETTERS, KEPT_PAGE_LINES, MAX_KEPT_LINE } from './limits.js'
import { isWritten, type ServedSync } from './record.js'
import { ToldContents } from './told-contents.js'

export interface KeptThereInit {
  readonly sync: ServedSync
  /** The folder, of this device. */
  readonly endpoint: Endpoint
  readonly pool: WorkerPool
  /** The driver, as lines name it. */
  readonly from: string
  open(path: AbsPath, options?: AbortOptions): Promise<Endpoint>
  nowMs(): number
  /** Contents that one session may be told of; MAX_TOLD_CONTENTS unless given. */
  readonly mostTold?: number | undefined
}

/** The versions of one served sync for one session of its driver. */
export class KeptThere implements EndpointKept {
  readonly contents: KeptContents
  readonly #init: KeptThereInit
  readonly #told: ToldContents
  #store: Promise<StoreAt | undefined> | undefined

  /** @throws {SpacedriveError} NOT_GRANTED: that sync writes nothing here */
  constructor(init: KeptThereInit) {
    if (!isWritten(init.sync)) throw new SpacedriveError('NOT_GRANTED', 'that end is only read')
    this.#init = init
    this.#told = new ToldContents(init.mostTold)
    this.contents = this.#contents()
  }

  async *lines({
    contents = false,
    ...options
  }: { readonly contents?: boolean } & AbortOptions = {}): AsyncGenerator<KeptPage, void, void> {
    const { sync, nowMs } = this.#init
    const sinceMs = sync.acceptedAtMs ?? Number.POSITIVE_INFINITY
    const store = await this.#opened(options)
    const reach = await store?.log.reach(options)
    yield { kind: 'reach', nowMs: nowMs(), ...(reach && { reach: reachSince(reach, sinceMs) }) }
    let page: string[] = []
    let letters = 0
    for await (const line of store?.log.newestFirst(options) ?? []) {
      if (line.atMs < sinceMs) break
      if (contents && line.was?.kind === 'file') this.#told.add(line.was.hash)
      const text = this.#textOf(line)
      if (text.length > MAX_KEPT_LINE) continue
      page.push(text)
      letters += text.length
      if (page.length < KEPT_PAGE_LINES && letters < KEPT_PAGE_LETTERS) continue
      yield { kind: 'lines', texts: page }
      page = []
      letters = 0
    }
    if (page.length > 0) yield { kind: 'lines', texts: page }
  }

  async stage(
    stage: EndpointStage,
    files: readonly KeptWanted[],
    options: AbortOptions = {}
  ): Promise<ReadonlyMap<number, Problem>> {
    this.#told.ensure(files.map(f => f.hash))
    const from = (await this.#opened(options))?.contents
    if (from === undefined) return new Map(files.map((f, id) => [id, notKept(f.staged)]))
    const { endpoint: at, pool } = this.#init
    // It costs the driver nothing to ask for, so it is not left to it to ask whether there is room.
    await at.ensureSpace(
      files.reduce((sum, f) => sum + f.sizeBytes, 0),
      options
    )
    const wanted = files.map(({ hash, sizeBytes, mode, mtimeNs, staged }, id) => ({
      ...{ id, mode, mtimeNs, staged, path: staged, from: [pathOf(hash)] },
      content: { kind: 'file', hash, sizeBytes, mode, mtimeNs } as const
    }))
    const { failed } = await stageContent({ from, at, stage, pool, resumes: true }, wanted, options)
    return failed
  }

  async close(): Promise<void> {
    await (await this.#store?.catch(() => undefined))?.close()
  }

  #opened(options: AbortOptions): Promise<StoreAt | undefined> {
    const { endpoint, open } = this.#init
    if (this.#store === undefined) {
      const asked = openStoreAt(open, endpoint.local!.path, options)
      this.#store = asked
      asked.catch(() => {
        if (this.#store === asked) this.#store = undefined
      })
    }
    return this.#store
  }

  /** As it is in the list, but for the names of other devices. */
  #textOf(line: VersionLine): string {
    const { from, ...rest } = line
    return formatLine(from === this.#init.from ? line : rest).trimEnd()
  }

  #contents(): KeptContents {
    const told = async (paths: readonly RelPath[], options: AbortOptions = {}): Promise<Endpoint> => {
      this.#told.ensure(paths.map(hashOf))
      const contents = (await this.#opened(options))?.contents
      if (contents === undefined) throw new SpacedriveError('MISSING', 'nothing is kept there')
      return contents
    }
    return {
      // What was not told of is as good as not there.
      look: async (paths, options = {}) => {
        const contents = (await this.#opened(options))?.contents
        const known = paths.filter(path => this.#told.has(hashOf(path)))
        const looks = new Map((await contents?.look(known, options))?.map(look => [look.path, look]))
        return paths.map(path => looks.get(path) ?? { path })
      },
      readPack: async (paths, options) => (await told(paths, options)).readPack(paths, options),
      async *read(path, options) {
        yield* (await told([path], options)).read(path, options)
      }
    }
  }
}

/** Where a content lies in a store, and back. */
const pathOf = (hash: ContentHash): RelPath => `${hash.slice(0, 2)}/${hash}` as RelPath
const hashOf = (path: RelPath): ContentHash => path.slice(3) as ContentHash

/** What is known of it begins no earlier than what is told. Before it something may have been changed: 0 says so. */
function reachSince(reach: Extract<KeptPage, { kind: 'reach' }>['reach'] & object, sinceMs: number): typeof reach {
  if (reach.begunMs >= sinceMs) return reach
  return {
    begunMs: 0,
    sinceMs: Math.max(reach.sinceMs, sinceMs),
    thinnedMs: Math.max(reach.thinnedMs, sinceMs)
  }
}

const notKept = (path: RelPath): Problem => ({ path, code: 'NO_VERSION', message: 'its content is kept nowhere there' })
