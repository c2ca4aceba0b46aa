import {
  type AbortOptions,
  displayPath,
  isWithin,
  type Problem,
  parentOf,
  type RelPath
} from '../../../storage/base/index.js'
import {
  type EntryStat,
  type Expected,
  MAX_BATCH_BYTES,
  MAX_BATCH_STEPS,
  MAX_PLACED_STEPS,
  type PlaceResult,
  type PlaceStep
} from '../../../storage/files/index.js'
import { type Endpoint, type EndpointStage, MAX_PLACED_LETTERS } from '../../endpoints/index.js'
import type { StagedCopy } from '../taking.js'
import { type KeepInit, oldOf, type Replacing, throwAwayOld } from './replaced.js'
import type { StagedTodo, StagedWork } from './staging.js'
import { bytesOf, type FolderItem, type Item, type SameItem, type Work } from './work.js'

export interface PlacingInit extends KeepInit {
  readonly keepTimes: boolean
  readonly modes: boolean
  /** Unique to this run: what is moved aside lies below it. */
  readonly run: string
  /** A move: sources go when their copies are durable. */
  readonly sources: SourcesGone | undefined
  /** What is to be replaced now, written down before; nothing when it is done. */
  replacing(list: readonly Replacing[]): Promise<void>
}

/** Takes sources away that were moved: files aside, at once; folders when nothing is in them any more. */
export interface SourcesGone {
  /** @returns of each whether it is gone */
  files(list: readonly { path: RelPath; stat: EntryStat }[], options: AbortOptions): Promise<readonly boolean[]>
  folder(path: RelPath, options: AbortOptions): Promise<void>
  end(options: AbortOptions): Promise<void>
}

export interface PlacedWork {
  readonly copies: readonly StagedCopy[]
  readonly directories: number
  readonly attributes: number
  readonly removed: number
}

interface Step {
  readonly step: PlaceStep
  readonly item: Item
  readonly staged?: StagedTodo | undefined
}

/** A folder of the sources that is being copied into. */
interface Open {
  readonly item: FolderItem
  /** Its mode and time are to be set when nothing is put into it any more. */
  touched: boolean
}

/** Gives what is staged its names, portion by portion in the order of the sources: durable on return, the old in the trash. */
export class Placing {
  readonly #init: PlacingInit
  readonly #destination: Endpoint
  readonly #stage: EndpointStage
  /** The folders around what was placed last, the innermost at the end. */
  readonly #open: Open[] = []
  /** Folders that nothing is put into any more; the innermost first. */
  readonly #left: Open[] = []
  /** Both, by their paths. */
  readonly #folders = new Map<RelPath, Open>()
  /** Replacements of which something may still lie staged that is to be kept. */
  readonly #doubtful: Replacing[] = []
  #aside = 0
  #counts = { directories: 0, attributes: 0, removed: 0 }

  constructor(init: PlacingInit) {
    this.#init = init
    this.#destination = init.destination
    this.#stage = init.stage
  }

  /** @throws what concerns all of it; one path that fails is a problem */
  async place({ items }: Pick<Work, 'items'>, { staged }: StagedWork, options: AbortOptions): Promise<PlacedWork> {
    this.#counts = { directories: 0, attributes: 0, removed: 0 }
    const copies: StagedCopy[] = []
    let batch: Step[] = []
    let bytes = 0
    let letters = 0
    const flush = async (): Promise<void> => {
      const some = batch
      batch = []
      bytes = 0
      letters = 0
      if (some.length > 0) copies.push(...(await this.#run(some, options)))
    }
    for (const item of items) {
      this.#leave(item.source)
      if (item.do === 'folder') this.#enter(item)
      const step = this.#stepFor(item, staged)
      if (step === undefined) continue
      const more = step.staged === undefined ? 0 : bytesOf(step.staged.stat)
      const full = batch.length >= MAX_PLACED_STEPS || letters >= MAX_PLACED_LETTERS
      if (full || (bytes > 0 && bytes + more > MAX_BATCH_BYTES)) await flush()
      batch.push(step)
      bytes += more
      letters += item.to.length + (step.staged?.staged.length ?? 0)
    }
    await flush()
    if (this.#left.length >= LEFT_TOGETHER) await this.#finishLeft(this.#left.splice(0), options)
    return { copies, ...this.#counts }
  }

  /** All of a source is there: the folders that are left get their mode and time. */
  async end(options: AbortOptions): Promise<void> {
    this.#leave(undefined)
    await this.#finishLeft(this.#left.splice(0), options)
    await this.#init.sources?.end(options)
  }

  #stepFor(item: Item, staged: StagedWork['staged']): Step | undefined {
    const path = item.to
    if (item.do === 'folder') {
      if (!item.make) return undefined
      // Open to us until it is full; what may be seen of it is what its source shows, from the first moment.
      return { item, step: { kind: 'make-directory', path, mode: (item.stat.mode & 0o777) | 0o700 } }
    }
    if (item.do === 'same') {
      const mtime = this.#init.keepTimes ? { mtimeNs: item.stat.mtimeNs } : {}
      const mode = this.#init.modes ? { mode: item.stat.mode & 0o777 } : {}
      if (item.attributes)
        return { item, step: { kind: 'attributes', path, expected: item.standing, ...mode, ...mtime } }
      return { item, step: NOTHING }
    }
    const ready = staged.get(item)
    if (ready === undefined) return undefined
    const from = { staging: this.#stage.id, path: ready.staged }
    if (item.replaces === undefined) return { item, staged: ready, step: { kind: 'create', path, from } }
    const aside = { staging: this.#stage.id, path: `old/${this.#init.run}/${this.#aside++}` as RelPath }
    return { item, staged: ready, step: { kind: 'replace', path, from, expected: item.replaces, aside } }
  }

  async #run(batch: readonly Step[], options: AbortOptions): Promise<StagedCopy[]> {
    const changing = batch.filter(s => s.step !== NOTHING)
    const list = changing.flatMap((s): Replacing[] => {
      if (s.step.kind !== 'replace') return []
      const { path, from, aside } = s.step
      const { stat, hash } = s.staged!
      const content = hash === undefined ? undefined : { sizeBytes: stat.sizeBytes, hash }
      const old = oldOf(s.staged!.item.replaces!)
      return [{ path, staged: from.path, aside: aside.path, old, ...(content && { content }) }]
    })
    if (list.length > 0) await this.#init.replacing([...this.#doubtful, ...list])
    const results =
      changing.length === 0
        ? []
        : await this.#destination.place(
            changing.map(s => s.step),
            options
          )
    const outcome = this.#outcome(changing, results)
    const kept = await throwAwayOld(this.#init, outcome.old, options)
    // What came between, or could not be kept, is seen to at the end, and by whoever goes on.
    if (!kept || outcome.doubtful) this.#doubtful.push(...list)
    if (list.length > 0) await this.#init.replacing(this.#doubtful)
    await this.#removeSources(batch, outcome.done, options)
    return outcome.copies
  }

  #outcome(batch: readonly Step[], results: readonly PlaceResult[]) {
    const copies: StagedCopy[] = []
    const done = new Set<Item>()
    const old: { path: RelPath; at: RelPath; expected: Expected }[] = []
    let doubtful = false
    for (const [i, result] of results.entries()) {
      const { step, item, staged } = batch[i]!
      if (!result.done) {
        this.#init.problem(result.problem)
        if (result.keptAt !== undefined) doubtful = true
        continue
      }
      done.add(item)
      if (step.kind === 'make-directory') this.#counts.directories++
      if (step.kind === 'attributes') this.#counts.attributes++
      if (step.kind === 'create' || step.kind === 'replace' || step.kind === 'make-directory') this.#touch(item.source)
      if (staged === undefined) continue
      const replaces = staged.item.replaces
      const bytes = staged.stat.kind === 'file' ? staged.stat.sizeBytes : 0
      const { source, to: path } = item
      copies.push({ source, path, staged: staged.staged, bytes, replaces, strategy: 'remote' })
      if (step.kind === 'replace')
        old.push({ path: item.to, at: step.aside.path, expected: result.aside ?? oldOf(replaces!) })
    }
    return { copies, done, old, doubtful }
  }

  async #removeSources(batch: readonly Step[], done: ReadonlySet<Item>, options: AbortOptions): Promise<void> {
    const { sources } = this.#init
    if (sources === undefined) return
    const list = batch.flatMap(({ item, staged, step }) => {
      if (staged !== undefined) return done.has(item) ? [{ path: item.source, stat: staged.stat }] : []
      const there = item.do === 'same' && (step === NOTHING || done.has(item))
      return there ? [{ path: item.source, stat: (item as SameItem).stat }] : []
    })
    if (list.length > 0) this.#counts.removed += (await sources.files(list, options)).filter(Boolean).length
  }

  /** Something was put into the folder around it, which may have been left since. */
  #touch(source: RelPath): void {
    const around = this.#folders.get(parentOf(source))
    if (around !== undefined) around.touched = true
  }

  #enter(item: FolderItem): void {
    const open = { item, touched: item.make || item.differs }
    this.#open.push(open)
    this.#folders.set(item.source, open)
  }

  /** Folders that `source` is not in: nothing is put into them any more. */
  #leave(source: RelPath | undefined): void {
    for (;;) {
      const open = this.#open.at(-1)
      if (open === undefined || (source !== undefined && isWithin(source, open.item.source))) return
      this.#left.push(this.#open.pop()!)
    }
  }

  /** Mode and time of folders whose content has its names. @param left - in the order in which they were left */
  async #finishLeft(left: readonly Open[], options: AbortOptions): Promise<void> {
    const { keepTimes, modes, sources } = this.#init
    const touched = left.filter(o => o.touched)
    for (let at = 0; at < touched.length; at += MAX_BATCH_STEPS) {
      const steps = touched.slice(at, at + MAX_BATCH_STEPS).map(
        ({ item }): PlaceStep => ({
          ...{ kind: 'attributes', path: item.to, expected: { kind: 'directory' } },
          ...(modes && { mode: item.stat.mode & 0o777 }),
          ...(keepTimes && { mtimeNs: item.stat.mtimeNs })
        })
      )
      for (const result of await this.#destination.place(steps, options))
        if (!result.done && !GONE.has(result.problem.code))
          this.#init.problem(attributesLost(result.path, result.problem))
    }
    for (const { item } of left) {
      this.#folders.delete(item.source)
      await sources?.folder(item.source, options)
    }
  }
}

/** Folders get their mode and time so many at once: each batch is durable, which costs as much as its content. */
const LEFT_TOGETHER = 500

/** Stands for a thing that is there already: nothing is done there. */
const NOTHING: PlaceStep = { kind: 'remove-directory', path: '' as RelPath }
/** A folder that could not be made was told already. */
const GONE = new Set(['MISSING', 'CHANGED'])

const attributesLost = (path: RelPath, { code, message }: Problem): Problem => ({
  path: displayPath(path),
  code,
  message: `${displayPath(path)} was copied without its mode and time: ${message}`
})
