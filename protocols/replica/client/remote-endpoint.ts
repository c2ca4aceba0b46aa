import { type AbortOptions, type DeviceId, isWithin, type RelPath } from '../../../storage/base/index.js'
import type { Capabilities, PlaceResult, PlaceStep, Space } from '../../../storage/files/index.js'
import type { RecordedFile } from '../../../sync/analysis/index.js'
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
  type ReadPiece,
  type TrashedItem,
  type TrashItemsOptions,
  type TrashOutcome,
  type TreePage,
  type WalkOptions
} from '../../../sync/endpoints/index.js'
import { blocksInOrder } from '../blocks.js'
import type { Output } from '../calls.js'
import { resultsFromWire, stepsToWire } from '../placing.js'
import type { Caller } from './caller.js'
import { malformed } from './failures.js'
import { packInOrder, piecesInOrder } from './in-order.js'
import { inOrder, type ListingInit } from './listing.js'
import { RemoteKept } from './remote-kept.js'
import { RemoteStage } from './remote-stage.js'
import { RemoteSync } from './remote-sync.js'

/** A folder of a paired device (docs/endpoint.md). What it answers is checked: names, order, counts; never believed. */
export class RemoteEndpoint implements Endpoint {
  readonly kind = 'remote'
  readonly shown: string
  readonly sync: EndpointSync | undefined
  readonly #caller: Caller
  readonly #about: EndpointAbout
  #capabilities: Promise<Capabilities> | undefined

  /** @param sync - for which it was opened */
  constructor(caller: Caller, device: DeviceId, shown: string, told: Output<'hello'>, sync?: string) {
    const { kept, alive = false, ...about } = told
    this.#caller = caller
    this.sync =
      sync === undefined ? undefined : new RemoteSync(caller, { sync, alive, kept: kept && new RemoteKept(caller) })
    this.shown = shown
    this.#about = { ...about, device }
  }

  get packBytes(): number | undefined {
    return this.#caller.downBytes
  }

  async about({ signal }: AbortOptions = {}): Promise<EndpointAbout> {
    signal?.throwIfAborted()
    return this.#about
  }

  capabilities(options: AbortOptions = {}): Promise<Capabilities> {
    this.#capabilities ??= this.#caller.call('capabilities', {}, options).then(a => a.value)
    const asked = this.#capabilities
    asked.catch(() => {
      if (this.#capabilities === asked) this.#capabilities = undefined
    })
    return asked
  }

  list(path: RelPath, { signal }: AbortOptions = {}): AsyncIterable<TreePage> {
    const below = (p: string): boolean => p !== path && isWithin(p, path) && !p.slice(path.length + 1).includes('/')
    return inOrder(this.#caller.stream('list', { path }, { signal }), this.#listing(below))
  }

  walk(path: RelPath, { except, depth, otherFileSystems, signal }: WalkOptions = {}): AsyncIterable<TreePage> {
    const input = { path, ...(except && { except: [...except] }), depth, otherFileSystems }
    return inOrder(
      this.#caller.stream('walk', input, { signal }),
      this.#listing(p => isWithin(p, path))
    )
  }

  async look(paths: readonly RelPath[], options: AbortOptions = {}): Promise<readonly Looked[]> {
    ensureFew(paths)
    const { value } = await this.#caller.call('look', { paths: [...paths] }, options)
    if (
      value.length !== paths.length ||
      value.some((l, i) => l.path !== paths[i] || (l.entry?.path ?? l.path) !== l.path)
    )
      throw malformed('paths')
    return value
  }

  read(path: RelPath, { ranges, hashed, shared, signal }: ReadOptions = {}): AsyncIterable<ReadPiece> {
    const input = { path, ...(ranges && { ranges: [...ranges] }), ...(hashed && { hashed }) }
    return piecesInOrder(this.#caller.parts('read', input, { signal }), shared === true)
  }

  async readPack(paths: readonly RelPath[], options: AbortOptions = {}): Promise<ReadPack> {
    ensureFew(paths)
    const { value, data } = await this.#caller.call('readPack', { paths: [...paths] }, options)
    return packInOrder(paths, value, data)
  }

  async *hash(paths: readonly RelPath[], { onBytes, signal }: HashOptions = {}): AsyncIterable<HashedFile> {
    let at = 0
    for await (const { value } of this.#caller.stream('hash', { paths: [...paths] }, { signal })) {
      if (value.bytes > 0) onBytes?.(value.bytes)
      for (const file of value.files) {
        if (file.path !== paths[at++]) throw malformed('hashes out of order')
        yield file
      }
    }
    if (at !== paths.length) throw malformed('too few hashes')
  }

  blocks(path: RelPath, { averageBytes, fromBytes, signal }: BlocksOptions): AsyncIterable<BlockPiece> {
    const input = { path, averageBytes, ...(fromBytes !== undefined && { fromBytes }) }
    return blocksInOrder(this.#caller.stream('blocks', input, { signal }), { averageBytes, fromBytes })
  }

  async hashStart(path: RelPath, lengthBytes: number, { onBytes, signal }: HashOptions = {}): Promise<HashedStart> {
    const { value } = await this.#caller.call('hashStart', { path, lengthBytes }, { signal })
    if (value.stat.sizeBytes < lengthBytes) throw malformed('the start of a shorter file')
    onBytes?.(lengthBytes)
    return value
  }

  async recorded(
    paths: readonly RelPath[],
    options: AbortOptions = {}
  ): Promise<readonly (RecordedFile | undefined)[]> {
    ensureFew(paths)
    const { value } = await this.#caller.call('recorded', { paths: [...paths] }, options)
    if (value.length !== paths.length) throw malformed('records')
    return value.map(file => file ?? undefined)
  }

  async openStage(id: string, options: AbortOptions = {}): Promise<EndpointStage> {
    const { value } = await this.#caller.call('openStage', { id }, options)
    return new RemoteStage(this.#caller, id, value.stage)
  }

  place(steps: readonly PlaceStep[], options: AbortOptions = {}): Promise<readonly PlaceResult[]> {
    return this.#placed('place', steps, options)
  }

  placeGroup(steps: readonly PlaceStep[], options: AbortOptions = {}): Promise<readonly PlaceResult[]> {
    return this.#placed('placeGroup', steps, options)
  }

  async trash(items: readonly TrashedItem[], options: TrashItemsOptions): Promise<readonly TrashOutcome[]> {
    const { command, job, signal } = options
    const { value } = await this.#caller.call('trash', { items: [...items], command, job }, { signal })
    if (value.length !== items.length || value.some((o, i) => o.path !== items[i]!.path)) throw malformed('outcomes')
    return value
  }

  async space(options: AbortOptions = {}): Promise<Space> {
    return (await this.#caller.call('space', {}, options)).value
  }

  async ensureSpace(bytes: number, options: AbortOptions = {}): Promise<void> {
    await this.#caller.call('ensureSpace', { bytes }, options)
  }

  close(): Promise<void> {
    return this.#caller.close()
  }

  #listing(wanted: ListingInit['wanted']): ListingInit {
    return { wanted, nowMs: () => this.#caller.nowMs() }
  }

  async #placed(name: 'place' | 'placeGroup', steps: readonly PlaceStep[], options: AbortOptions) {
    const { value, data } = await this.#caller.call(name, { steps: stepsToWire(steps) }, options)
    return resultsFromWire(steps, value, data)
  }
}

function ensureFew(paths: readonly RelPath[]): void {
  if (paths.length > MAX_LOOKS) throw new RangeError(`${paths.length} paths at once, ${MAX_LOOKS} are allowed`)
}
