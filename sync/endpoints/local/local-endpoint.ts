import { setMaxListeners } from 'node:events'
import {
  type AbortOptions,
  type AbsPath,
  displayPath,
  type LinkContext,
  linkSignals,
  type RelPath,
  SpacedriveError,
  type TaskContext,
  type WorkerPool
} from '../../../storage/base/index.js'
import type {
  Capabilities,
  Disk,
  EntryStat,
  FileSource,
  Files,
  PlaceResult,
  PlaceStep,
  Space,
  StagedHow
} from '../../../storage/files/index.js'
import type { Trash } from '../../../storage/trash/index.js'
import { timeStepMs, type Volumes } from '../../../storage/volumes/index.js'
import type { BlockPiece, BlocksOptions, HashedStart } from '../blocks.js'
import { type EntryColumns, fromColumns } from '../columns.js'
import type { HashedFile, ReadOptions, ReadPack, ReadPackOptions, ReadPiece } from '../content.js'
import type {
  Endpoint,
  EndpointAbout,
  HashOptions,
  TrashedItem,
  TrashItemsOptions,
  TrashOutcome,
  WalkOptions
} from '../endpoint.js'
import type { Looked, TreePage } from '../entry.js'
import { MAX_LOOKS } from '../limits.js'
import type { LocalPort } from '../local-port.js'
import { fromPackColumns } from '../pack-columns.js'
import { type PullOptions, pulled } from '../pull.js'
import type { EndpointStage } from '../stage.js'
import { blockTasks } from './blocks.worker.js'
import { hashInOrder } from './hash-files.js'
import { localTasks } from './local.worker.js'
import { LocalWriting } from './local-writing.js'
import type { LocalRoot } from './reading.js'

export interface LocalEndpointInit {
  readonly pool: WorkerPool
  readonly files: Files
  readonly volumes: Pick<Volumes, 'volumeOf'>
  readonly trash: Pick<Trash, 'put'>
  /** Absolute paths that are ours and unknown to everybody: data directories, open libraries (SYNC.md 9). */
  ours(): readonly string[]
  /**
   * Each `.spacedrive` below the root is ours, also one without a marker: for whoever writes there by order of another device, which
   * is never let near one.
   */
  readonly allAreas?: boolean | undefined
  /** Instead of the real disk, with a pool that runs tasks in place: see `FilesInit.disk`. */
  readonly disk?: Disk | undefined
}

export interface LocalEndpointParts extends LocalEndpointInit {
  /** Without links. */
  readonly path: AbsPath
  readonly stat: EntryStat
  readonly about: EndpointAbout
}

/** A folder of this device. Looks and reads through the pool; writes through `FileRoot`, which is opened when it is first needed. */
export class LocalEndpoint implements Endpoint {
  readonly kind = 'local'
  readonly shown: string
  readonly local: LocalPort
  readonly #parts: LocalEndpointParts
  readonly #writing: LocalWriting
  readonly #ended = new AbortController()
  readonly #running = new Set<Promise<unknown>>()
  #source: Promise<FileSource> | undefined

  constructor(parts: LocalEndpointParts) {
    this.#parts = parts
    setMaxListeners(0, this.#ended.signal) // one for each call that runs
    this.shown = displayPath(parts.path)
    this.#writing = new LocalWriting(parts)
    this.local = {
      path: parts.path,
      fileRoot: options => this.#use(options, signal => this.#writing.root({ signal })),
      marker: options => this.#use(options, signal => parts.files.readMarker(parts.path, { signal })),
      reading: () => this.#root(),
      source: options => this.#use(options, async signal => (await this.#openedSource(signal)).handle)
    }
  }

  async about({ signal }: AbortOptions = {}): Promise<EndpointAbout> {
    signal?.throwIfAborted()
    return this.#parts.about
  }

  async capabilities(options?: AbortOptions): Promise<Capabilities> {
    return this.#use(options, async signal => (await this.#writing.root({ signal })).capabilities)
  }

  list(path: RelPath, options?: AbortOptions): AsyncIterable<TreePage> {
    return this.#pages(localTasks.list, { root: this.#root(), path }, options)
  }

  walk(
    path: RelPath,
    { except = [], depth, otherFileSystems = false, signal }: WalkOptions = {}
  ): AsyncIterable<TreePage> {
    const levels = depth ?? Number.POSITIVE_INFINITY
    const input = { root: this.#root(), path, except, depth: levels, otherFileSystems }
    return this.#pages(localTasks.walk, input, { signal })
  }

  async look(paths: readonly RelPath[], options?: AbortOptions): Promise<readonly Looked[]> {
    ensureCount(paths)
    return this.#task(localTasks.look, { root: this.#root(), paths }, options)
  }

  read(path: RelPath, { ranges, hashed = false, ...options }: ReadOptions = {}): AsyncIterable<ReadPiece> {
    return this.#pull(localTasks.read, { root: this.#root(), path, ranges, hashed }, options)
  }

  async readPack(paths: readonly RelPath[], { into, signal }: ReadPackOptions = {}): Promise<ReadPack> {
    ensureCount(paths)
    const input = { root: this.#root(), paths, into }
    const { data, columns } = await this.#task(localTasks.readPack, input, { signal })
    return { data, files: fromPackColumns(paths, columns) }
  }

  async *hash(paths: readonly RelPath[], { onBytes, signal }: HashOptions = {}): AsyncGenerator<HashedFile> {
    const { pool } = this.#parts
    const root = this.#root()
    const linked = linkSignals(signal, this.#ended.signal)
    try {
      yield* hashInOrder({ pool, root, paths, onBytes, signal: linked.signal })
    } finally {
      linked.clear()
    }
  }

  blocks(path: RelPath, { averageBytes, fromBytes, signal }: BlocksOptions): AsyncIterable<BlockPiece> {
    return this.#pull(blockTasks.blocks, { root: this.#root(), path, averageBytes, fromBytes }, { signal })
  }

  async hashStart(path: RelPath, lengthBytes: number, { onBytes, signal }: HashOptions = {}): Promise<HashedStart> {
    const how = { signal, onEmit: onBytes }
    return this.#task(blockTasks.hashStart, { root: this.#root(), path, lengthBytes }, how)
  }

  async openStage(id: string, options?: AbortOptions): Promise<EndpointStage> {
    return this.#use(options, signal => this.#writing.openStage(id, { signal }))
  }

  async place(steps: readonly PlaceStep[], options: StagedHow & AbortOptions = {}): Promise<readonly PlaceResult[]> {
    const { stagedDurable } = options
    const place = async (signal: AbortSignal) =>
      (await this.#writing.root({ signal })).place(steps, { stagedDurable, signal })
    return this.#use(options, place)
  }

  async placeGroup(steps: readonly PlaceStep[], options?: AbortOptions): Promise<readonly PlaceResult[]> {
    return this.#use(options, async signal => (await this.#writing.root({ signal })).placeGroup(steps, { signal }))
  }

  async trash(items: readonly TrashedItem[], options: TrashItemsOptions): Promise<readonly TrashOutcome[]> {
    return this.#use(options, signal => this.#writing.trash(this, items, { ...options, signal }))
  }

  async space(options?: AbortOptions): Promise<Space> {
    return this.#use(options, async signal => (await this.#writing.root({ signal })).space())
  }

  async ensureSpace(bytes: number, options?: AbortOptions): Promise<void> {
    return this.#use(options, async signal => (await this.#writing.root({ signal })).ensureSpace(bytes))
  }

  async close(): Promise<void> {
    this.#ended.abort(new SpacedriveError('STOPPED', `${this.shown} was closed`))
    await Promise.allSettled(this.#running)
    await this.#writing.close()
    await (await this.#source?.catch(() => undefined))?.close()
  }

  #openedSource(signal: AbortSignal): Promise<FileSource> {
    const { files, path } = this.#parts
    this.#source ??= files.openSource(path, { signal }).catch(err => {
      this.#source = undefined
      throw err
    })
    return this.#source
  }

  #root(): LocalRoot {
    const { path, stat, about, ours, allAreas = false, disk } = this.#parts
    const clockStepMs = timeStepMs(about.fileSystem)
    const identity = { device: stat.device, inode: stat.inode }
    const root = { path, identity, ours: ours(), allAreas, clockStepMs }
    return disk === undefined ? root : { ...root, disk }
  }

  #task<I, O>(
    task: (input: I, ctx: TaskContext) => O,
    input: NoInfer<I>,
    { signal: given, ...how }: TaskOptions = {}
  ): Promise<Awaited<O>> {
    return this.#use({ signal: given }, signal => this.#parts.pool.run(task, input, { ...how, signal }))
  }

  async *#pages<I>(
    task: (input: I, ctx: LinkContext) => Promise<void>,
    input: NoInfer<I>,
    options?: AbortOptions
  ): AsyncGenerator<TreePage> {
    for await (const columns of this.#pull<I, EntryColumns>(task, input, options))
      yield { entries: fromColumns(columns) }
  }

  async *#pull<I, T>(
    task: (input: I, ctx: LinkContext) => Promise<void>,
    input: NoInfer<I>,
    { signal, ...options }: PullOptions = {}
  ): AsyncGenerator<T> {
    const linked = linkSignals(signal, this.#ended.signal)
    try {
      yield* pulled<I, T>(this.#parts.pool, task, input, { ...options, signal: linked.signal })
    } finally {
      linked.clear()
    }
  }

  /** Runs something that `close` ends and waits for. */
  async #use<T>({ signal }: AbortOptions = {}, fn: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const linked = linkSignals(signal, this.#ended.signal)
    const running = (async () => {
      linked.signal.throwIfAborted()
      return fn(linked.signal)
    })()
    this.#running.add(running)
    try {
      return await running
    } finally {
      this.#running.delete(running)
      linked.clear()
    }
  }
}

interface TaskOptions extends AbortOptions {
  /** Memory handed over. */
  readonly transfer?: readonly ArrayBuffer[]
  readonly onEmit?: ((value: never) => void) | undefined
}

function ensureCount(paths: readonly RelPath[]): void {
  if (paths.length > MAX_LOOKS) throw new RangeError(`expected at most ${MAX_LOOKS} paths, got ${paths.length}`)
}
