import {
  type AbortOptions,
  type AbsPath,
  displayPath,
  type JobId,
  resolveRel,
  SpacedriveError
} from '../../../storage/base/index.js'
import {
  type FileRoot,
  type Files,
  MAX_TRASH_BATCH,
  type Staging,
  type TrashItem
} from '../../../storage/files/index.js'
import type { Trash } from '../../../storage/trash/index.js'
import type { Endpoint, TrashedItem, TrashItemsOptions, TrashOutcome } from '../endpoint.js'
import type { EndpointStage } from '../stage.js'

interface LocalWritingInit {
  readonly path: AbsPath
  readonly files: Files
  readonly trash: Pick<Trash, 'put'>
}

/** The half of a local endpoint that changes things: a `FileRoot`, opened when it is first needed. */
export class LocalWriting {
  readonly #init: LocalWritingInit
  readonly #stages = new Map<string, Staging>()
  #root: Promise<FileRoot> | undefined

  constructor(init: LocalWritingInit) {
    this.#init = init
  }

  /** Opened once; what a crash left half done is completed or taken back first. A failure is tried again at the next call. */
  root({ signal }: AbortOptions = {}): Promise<FileRoot> {
    this.#root ??= this.#open(signal).catch(err => {
      this.#root = undefined
      throw err
    })
    return this.#root
  }

  async openStage(id: string, { signal }: AbortOptions = {}): Promise<EndpointStage> {
    const root = await this.root({ signal })
    const staging = await root.openStaging(id, { signal })
    this.#stages.set(id, staging)
    const gone = (): void => void this.#stages.delete(id)
    return {
      id,
      write: (entries, data, options) => staging.write(entries, data, options),
      openFile: (path, init) => staging.openFile(path, init),
      verify: (list, options) => staging.verify(list, options),
      discard: options => staging.discard(options).finally(gone),
      close: () => staging.close().finally(gone)
    }
  }

  async trash(
    endpoint: Endpoint,
    items: readonly TrashedItem[],
    { command, job, signal }: TrashItemsOptions
  ): Promise<readonly TrashOutcome[]> {
    if (items.length > MAX_TRASH_BATCH) {
      throw new RangeError(`expected at most ${MAX_TRASH_BATCH} items, got ${items.length}`)
    }
    // The trash goes by paths: the way to each is looked at first, so that no link leads elsewhere.
    const refused = await this.#refused(endpoint, items, signal)
    const rest = items.filter(item => !refused.has(item))
    const put =
      rest.length === 0
        ? []
        : await this.#init.trash.put(
            rest.map(item => this.#trashItem(item)),
            {
              ...{ command, signal },
              ...(job !== undefined && { job: job as JobId })
            }
          )
    const outcomes = new Map(rest.map((item, i) => [item, put[i]!]))
    return items.map(item => {
      const { path } = item
      const problem = refused.get(item)
      if (problem !== undefined) return { done: false, path, problem }
      const outcome = outcomes.get(item)!
      if (!outcome.done) return { done: false, path, problem: outcome.problem }
      return { done: true, path, files: outcome.files, bytes: outcome.bytes }
    })
  }

  async close(): Promise<void> {
    const root = await this.#root?.catch(() => undefined)
    await root?.close()
    this.#stages.clear()
  }

  async #open(signal: AbortSignal | undefined): Promise<FileRoot> {
    const { files, path } = this.#init
    const root = await files.openRoot(path, { signal })
    try {
      const { problems } = await root.recover({ signal })
      const [problem] = problems
      if (problem === undefined) return root
      throw new SpacedriveError(
        'NOT_RECOVERED',
        `could not write into ${displayPath(path)}: an interrupted change can be neither completed nor taken back: ${problem.message}`,
        { hint: `Look at ${problem.path}; move it away when it is in order, and try again.` }
      )
    } catch (err) {
      await root.close()
      throw err
    }
  }

  #trashItem({ path, expected, from }: TrashedItem): TrashItem {
    const origin = resolveRel(this.#init.path, path)
    if (from === undefined) return { at: origin, expected }
    const staging = this.#stages.get(from.staging)
    if (staging === undefined) {
      throw new SpacedriveError('STAGING_GONE', `the staging place ${from.staging} is not open`)
    }
    return { at: resolveRel(staging.contentPath, from.path), origin, expected }
  }

  async #refused(
    endpoint: Endpoint,
    items: readonly TrashedItem[],
    signal: AbortSignal | undefined
  ): Promise<Map<TrashedItem, { path: string; code: string; message: string }>> {
    const refused = new Map<TrashedItem, { path: string; code: string; message: string }>()
    const direct = items.filter(item => item.from === undefined)
    const looked = await endpoint.look(
      direct.map(item => item.path),
      { signal }
    )
    for (const [i, item] of direct.entries()) {
      const { entry, problem } = looked[i]!
      const shown = displayPath(item.path)
      const refuse = (code: string, why: string): void =>
        void refused.set(item, { path: shown, code, message: `could not throw away ${shown}: ${why}` })
      if (problem !== undefined) refused.set(item, problem)
      else if (item.path === '') refuse('NOT_ALLOWED', 'it is the root itself')
      else if (entry === undefined) refuse('MISSING', 'it is not there')
      else if (entry.unknown !== undefined) refuse('UNKNOWN_ENTRY', UNKNOWN_WORDS[entry.unknown])
    }
    return refused
  }
}

const UNKNOWN_WORDS = {
  special: 'it is a device, socket or FIFO',
  unreadable: 'it could not be looked at',
  'other-file-system': 'another file system is mounted there',
  ours: 'it belongs to this program',
  'file-system': 'it belongs to the file system',
  ignored: 'it is ignored'
} as const
