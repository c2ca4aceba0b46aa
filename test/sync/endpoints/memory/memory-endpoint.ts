import { type AbortOptions, type RelPath, SpacedriveError } from '../../../../storage/base/index.js'
import {
  type Capabilities,
  MAX_TRASH_BATCH,
  type PlaceResult,
  type PlaceStep,
  type Space
} from '../../../../storage/files/index.js'
import {
  type BlockPiece,
  type BlocksOptions,
  type Endpoint,
  type EndpointAbout,
  type EndpointStage,
  type EndpointSync,
  type HashedFile,
  type HashedStart,
  type HashOptions,
  type Looked,
  MAX_LOOKS,
  type ReadOptions,
  type ReadPack,
  type ReadPackOptions,
  type ReadPiece,
  type TrashedItem,
  type TrashItemsOptions,
  type TrashOutcome,
  type TreePage,
  type WalkOptions
} from '../../../../sync/endpoints/index.js'
import { type MemoryNode, statOf } from './disk.js'
import { listed, lookedAt, type MemoryView, paged, walked } from './looking.js'
import { placed } from './placing.js'
import { placedTogether } from './placing-group.js'
import { blocksOf, hashedFile, packed, pieces, startOf } from './reading.js'
import { memoryStage } from './stage.js'
import { thrownAway } from './trashing.js'
import type { MemoryTree } from './tree.js'

const TOTAL_BYTES = 2 ** 40
const RESERVE_BYTES = 2 ** 30

export const MEMORY_CAPABILITIES: Capabilities = {
  ...{ fileSystem: 'memory', exchange: true, noReplace: true, hardLinks: true, symlinks: true, modes: true },
  ...{ foldsCase: false, foldsUnicode: false, anyBytes: true, timeStepNs: 1n, keepsIdentity: true },
  ...{ renameKeepsCtime: false, syncWhole: true }
}

export interface MemoryEndpointInit {
  /** Paths that are the program's own. */
  readonly ours?: readonly string[]
  /** Entries of a page; as the real ends unless given. */
  readonly pageEntries?: number
  /** What a sync asks of it, as if it lay on another device. */
  sync?(endpoint: MemoryEndpoint): EndpointSync
}

/** A tree in memory as an endpoint: all that `Endpoint` promises, over nothing that the real ones stand on. */
export class MemoryEndpoint implements Endpoint {
  readonly kind = 'memory'
  readonly shown = 'memory'
  readonly sync: EndpointSync | undefined
  readonly tree: MemoryTree
  readonly #root: MemoryNode
  readonly #init: MemoryEndpointInit
  readonly #stages = new Set<string>()
  #closed = false

  constructor(tree: MemoryTree, init: MemoryEndpointInit = {}) {
    this.tree = tree
    this.#root = tree.root
    this.#init = init
    this.sync = init.sync?.(this)
  }

  async about(): Promise<EndpointAbout> {
    return { device: null, root: statOf(this.#root), fileSystem: 'memory', network: false, timeStepNs: 1n }
  }

  async capabilities({ signal }: AbortOptions = {}): Promise<Capabilities> {
    this.#ensure(signal)
    return MEMORY_CAPABILITIES
  }

  list(path: RelPath, { signal }: AbortOptions = {}): AsyncGenerator<TreePage> {
    return this.#pulled(signal, view => paged(listed(view, path), view.pageEntries))
  }

  walk(path: RelPath, { signal, ...options }: WalkOptions = {}): AsyncGenerator<TreePage> {
    return this.#pulled(signal, view => paged(walked(view, path, options), view.pageEntries))
  }

  async look(paths: readonly RelPath[], { signal }: AbortOptions = {}): Promise<readonly Looked[]> {
    ensureCount(paths, MAX_LOOKS)
    const view = this.#view(signal)
    return paths.map(path => lookedAt(view, path))
  }

  read(path: RelPath, { signal, ...options }: ReadOptions = {}): AsyncGenerator<ReadPiece> {
    return this.#pulled(signal, view => pieces(view, path, options))
  }

  async readPack(paths: readonly RelPath[], options: ReadPackOptions = {}): Promise<ReadPack> {
    ensureCount(paths, MAX_LOOKS)
    return packed(this.#view(options.signal), paths, options)
  }

  hash(paths: readonly RelPath[], { signal, onBytes = () => {} }: HashOptions = {}): AsyncGenerator<HashedFile> {
    return this.#pulled(signal, function* (view) {
      for (const path of paths) yield hashedFile(view, path, onBytes)
    })
  }

  blocks(path: RelPath, { averageBytes, fromBytes, signal }: BlocksOptions): AsyncGenerator<BlockPiece> {
    return this.#pulled(signal, view => blocksOf(view, path, averageBytes, fromBytes))
  }

  async hashStart(path: RelPath, lengthBytes: number, { onBytes, signal }: HashOptions = {}): Promise<HashedStart> {
    const start = startOf(this.#view(signal), path, lengthBytes)
    onBytes?.(lengthBytes)
    return start
  }

  async openStage(id: string, { signal }: AbortOptions = {}): Promise<EndpointStage> {
    this.#ensure(signal)
    const { tree } = this
    const known = tree.staged.get(id)
    if (known?.holder !== undefined)
      throw new SpacedriveError('STAGING_IN_USE', `the staging place ${id} is open already`)
    const place = known ?? { top: tree.disk.make('directory'), holder: undefined }
    place.holder = this
    tree.staged.set(id, place)
    this.#stages.add(id)
    const release = (): void => {
      place.holder = undefined
      this.#stages.delete(id)
    }
    return memoryStage({ id, tree, top: place.top, release, ensure: more => this.#ensure(more) })
  }

  async place(steps: readonly PlaceStep[], { signal }: AbortOptions = {}): Promise<readonly PlaceResult[]> {
    this.#ensure(signal)
    return placed(this.tree, steps)
  }

  async placeGroup(steps: readonly PlaceStep[], { signal }: AbortOptions = {}): Promise<readonly PlaceResult[]> {
    this.#ensure(signal)
    return placedTogether(this.tree, steps)
  }

  async trash(items: readonly TrashedItem[], { signal }: TrashItemsOptions): Promise<readonly TrashOutcome[]> {
    ensureCount(items, MAX_TRASH_BATCH)
    const view = this.#view(signal)
    return thrownAway(this.tree, view, items)
  }

  async space({ signal }: AbortOptions = {}): Promise<Space> {
    this.#ensure(signal)
    return { freeBytes: TOTAL_BYTES / 2, totalBytes: TOTAL_BYTES, reserveBytes: RESERVE_BYTES }
  }

  async ensureSpace(bytes: number, options?: AbortOptions): Promise<void> {
    const { freeBytes, reserveBytes } = await this.space(options)
    if (bytes > 0 && freeBytes - bytes < reserveBytes) throw new SpacedriveError('NO_SPACE', 'the disk is full')
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const id of this.#stages) this.tree.staged.get(id)!.holder = undefined
    this.#stages.clear()
  }

  #view(signal?: AbortSignal): MemoryView {
    this.#ensure(signal)
    const { ours = [], pageEntries } = this.#init
    return { root: this.tree.root, ours, pageEntries }
  }

  /** @throws STOPPED, ROOT_MOVED, `signal.reason` */
  #ensure(signal?: AbortSignal): void {
    signal?.throwIfAborted()
    if (this.#closed) throw new SpacedriveError('STOPPED', `${this.shown} was closed`)
    if (this.tree.root !== this.#root) throw new SpacedriveError('ROOT_MOVED', 'the folder was moved or replaced')
  }

  async *#pulled<T>(signal: AbortSignal | undefined, make: (view: MemoryView) => Iterable<T>): AsyncGenerator<T> {
    for (const one of make(this.#view(signal))) {
      yield one
      this.#ensure(signal)
    }
  }
}

function ensureCount(list: readonly unknown[], most: number): void {
  if (list.length > most) throw new RangeError(`expected at most ${most}, got ${list.length}`)
}
