import {
  type AbortOptions,
  type AbsPath,
  parentOf,
  type RelPath,
  ROOT,
  resolveRel,
  SpacedriveError
} from '../../../storage/base/index.js'
import {
  AREA_NAME,
  isTempName,
  type PlaceResult,
  type PlaceStep,
  type StagedSource
} from '../../../storage/files/index.js'
import type { RecordedFile } from '../../../sync/analysis/index.js'
import {
  type Endpoint,
  type EndpointStage,
  type KeptBatch,
  MAX_LOOKS,
  type StagedFileWriter,
  type TrashedItem
} from '../../../sync/endpoints/index.js'
import { blocksToWire } from '../blocks.js'
import { type Input, STREAMS, type StreamName } from '../calls.js'
import { MAX_STAGES, MAX_WRITERS } from '../limits.js'
import { pageToWire } from '../page.js'
import { SYNC_WRITES } from '../sync-calls.js'
import type { Answering, Outgoing } from './answering.js'
import { followParts, hashParts, keptParts } from './answers-in-parts.js'
import { isOurPlace, liesInOurs, namesOf, placeTheirs, stagedOf } from './place-theirs.js'
import { readParts } from './read-parts.js'
import { ServedForSync, type SyncPort } from './served-sync.js'

export interface Served {
  readonly endpoint: Endpoint
  /** The real path of its root. */
  readonly root: AbsPath
  /** Absolute paths that are ours and nobody else's (SYNC.md 9). */
  ours(): readonly string[]
  /** What the indexes here recorded of files. */
  recordedOf(paths: readonly AbsPath[], options: AbortOptions): Promise<readonly (RecordedFile | undefined)[]>
  /** For what sync it was opened; undefined: by a grant of a person. */
  readonly sync?: SyncPort | undefined
}

interface Writing {
  readonly writer: StagedFileWriter
  /** Of the append that failed: what was sent behind it would land at the wrong place. */
  failed: unknown
}

/**
 * What a device may do with one folder of this one, call by call. Content is reached through the endpoint alone, which
 * follows no link; what is ours is refused here, by its name and by its place, before the endpoint hears of it.
 */
export class ServedFolder {
  readonly #served: Served
  readonly #access: 'read' | 'write'
  readonly #how: Answering
  readonly #sync: ServedForSync | undefined
  readonly #stages = new Map<number, EndpointStage>()
  readonly #writers = new Map<number, Writing>()
  #nextHandle = 1
  #closed: Promise<void> | undefined

  constructor(served: Served, access: 'read' | 'write', how: Answering) {
    this.#served = served
    this.#access = access
    this.#how = how
    this.#sync = served.sync && new ServedForSync(served.sync, served.endpoint)
  }

  /** @throws {SpacedriveError} NOT_GRANTED: it was not opened for one */
  get sync(): ServedForSync {
    if (this.#sync === undefined) throw new SpacedriveError('NOT_GRANTED', 'that folder was not opened for a sync')
    return this.#sync
  }

  /** Told in answer to `hello`. */
  get told(): { readonly kept?: true; readonly alive?: true } {
    return this.#access === 'write' && this.#sync?.keeps === true ? { kept: true, alive: true } : {}
  }

  /** Nobody else changes it meanwhile. */
  get holdsTurn(): boolean {
    return this.#sync?.holdsTurn === true
  }

  /** Somebody else came for it since. */
  get isWanted(): boolean {
    return this.#sync?.isWanted === true
  }

  async *stream(
    name: StreamName,
    input: Input<StreamName>,
    options: AbortOptions
  ): AsyncGenerator<Outgoing, void, void> {
    this.ensureMay(STREAMS[name].access)
    const { endpoint } = this.#served
    if (name === 'list' || name === 'walk') {
      const { path, ...how } = input as Input<'walk'>
      await this.ensureReadable(path)
      const pages = name === 'list' ? endpoint.list(path, options) : endpoint.walk(path, { ...how, ...options })
      for await (const { entries } of pages) yield pageToWire(entries)
    } else if (name === 'read') {
      const { path, ...how } = input as Input<'read'>
      await this.ensureReadable(path)
      yield* readParts(endpoint.read(path, { ...how, ...options, shared: true }), this.#how.partBytes)
    } else if (name === 'blocks') {
      const { path, ...how } = input as Input<'blocks'>
      await this.ensureReadable(path)
      for await (const piece of endpoint.blocks(path, { ...how, ...options })) yield blocksToWire(piece)
    } else if (name === 'watch') {
      for await (const page of this.sync.watch(options)) yield { values: page }
    } else if (name === 'syncFollow') {
      yield* followParts(this.sync, input as Input<'syncFollow'>, this.#served, options)
    } else if (name === 'keptLines' || name === 'keptRead') {
      yield* keptParts(this.sync, input as Input<'keptLines'>, this.#how.partBytes, options)
    } else {
      const asked = input as Input<'hash'>
      await this.ensureReadable(...asked.paths)
      yield* hashParts(endpoint, asked, { ...options, clock: this.#how.clock })
    }
  }

  close(): Promise<void> {
    this.#closed ??= (async () => {
      for (const { writer } of this.#writers.values()) await writer.close().catch(() => {})
      // The end of a sync lets go of its staging place itself, once what is being placed there is done.
      if (this.#sync !== undefined) await this.#sync.leave()
      else for (const stage of this.#stages.values()) await stage.close().catch(() => {})
      await this.#served.endpoint.close()
    })()
    return this.#closed
  }

  recorded(paths: readonly RelPath[], options: AbortOptions): Promise<readonly (RecordedFile | undefined)[]> {
    const { root, recordedOf } = this.#served
    return recordedOf(
      paths.map(path => resolveRel(root, path)),
      options
    )
  }

  get endpoint(): Endpoint {
    return this.#served.endpoint
  }

  async openStage(id: string, options: AbortOptions): Promise<number> {
    if (this.#stages.size >= MAX_STAGES) throw new SpacedriveError('TOO_MANY', 'too many staging places are open')
    const stage = await this.endpoint.openStage(id, options)
    return this.#keep(this.#stages, stage)
  }

  async openSyncStage(options: AbortOptions): Promise<{ id: string; stage: number; fresh: boolean }> {
    const stage = await this.sync.stage(options)
    const { id, fresh = false } = stage
    for (const [handle, known] of this.#stages) if (known === stage) return { id, stage: handle, fresh }
    return { id, stage: this.#keep(this.#stages, stage), fresh }
  }

  stage(handle: number): EndpointStage {
    const stage = this.#stages.get(handle)
    if (stage === undefined) throw new SpacedriveError('GONE', 'that staging place is not open')
    return stage
  }

  async dropStage(handle: number, how: (stage: EndpointStage) => Promise<void>): Promise<void> {
    const stage = this.stage(handle)
    await how(stage)
    this.#stages.delete(handle)
  }

  async openFile(
    stage: number,
    path: RelPath,
    sizeBytes: number,
    options: AbortOptions
  ): Promise<[number, StagedFileWriter]> {
    if (this.#writers.size >= MAX_WRITERS) throw new SpacedriveError('TOO_MANY', 'too many files are being written')
    const writer = await this.stage(stage).openFile(path, { sizeBytes, ...options })
    return [this.#keep(this.#writers, { writer, failed: undefined }), writer]
  }

  writer(handle: number): StagedFileWriter {
    return this.#writing(handle).writer
  }

  /** Appends, unless one that came before has failed. */
  async append<T>(
    handle: number,
    how: (writer: StagedFileWriter) => Promise<T>
  ): Promise<{ positionBytes: number; said: T }> {
    const writing = this.#writing(handle)
    if (writing.failed !== undefined) throw writing.failed
    try {
      const said = await how(writing.writer)
      return { positionBytes: writing.writer.positionBytes, said }
    } catch (err) {
      writing.failed ??= err
      throw err
    }
  }

  async restart(handle: number): Promise<void> {
    const writing = this.#writing(handle)
    await writing.writer.restart()
    writing.failed = undefined
  }

  async dropWriter(handle: number): Promise<void> {
    const { writer } = this.#writing(handle)
    this.#writers.delete(handle)
    await writer.close()
  }

  /** Steps name what is theirs, and only staging places that this device opened here. */
  checkedSteps(steps: readonly PlaceStep[]): readonly PlaceStep[] {
    for (const path of steps.flatMap(namesOf)) this.ensurePlain(path)
    this.#ensureStagedAll(steps)
    return steps
  }

  /** A batch of a sync: what belongs to the program here is left out, path by path, and the rest is done. */
  placeForSync(batch: KeptBatch, options: AbortOptions): Promise<readonly PlaceResult[]> {
    this.#ensureStagedAll(batch.steps)
    return placeTheirs(batch, this.#served, theirs => this.sync.end.place(theirs, options))
  }

  #ensureStagedAll(steps: readonly PlaceStep[]): void {
    for (const source of steps.flatMap(stagedOf)) this.#ensureStaged(source)
  }

  checkTrashed(items: readonly TrashedItem[]): void {
    for (const { path, from } of items) {
      this.ensurePlain(path)
      if (from !== undefined) this.#ensureStaged(from)
    }
  }

  #ensureStaged({ staging }: StagedSource): void {
    for (const stage of this.#stages.values()) if (stage.id === staging) return
    throw new SpacedriveError('NOT_GRANTED', 'that staging place is not open here')
  }

  /** @throws NOT_GRANTED for what is ours: within a place of ours, or below a `.spacedrive` that holds a marker */
  async ensureReadable(...paths: readonly RelPath[]): Promise<void> {
    const areas = new Set<RelPath>()
    for (const path of paths) {
      const names = path.split('/')
      if (names.some(isTempName) || liesInOurs(path, this.#served)) throw notTheirs()
      for (const [i, name] of names.entries())
        if (name === AREA_NAME) areas.add(names.slice(0, i + 1).join('/') as RelPath)
    }
    const asked = [...areas]
    for (let at = 0; at < asked.length; at += MAX_LOOKS) {
      const looked = await this.endpoint.look(asked.slice(at, at + MAX_LOOKS))
      if (looked.some(({ entry }) => entry?.unknown === 'ours')) throw notTheirs()
    }
  }

  /** What a device may look at: all that a listing shows, what is ours among it, but nothing within that. */
  ensureLooked(...paths: readonly RelPath[]): Promise<void> {
    return this.ensureReadable(...paths.map(parentOf).filter(parent => parent !== ROOT))
  }

  /** Nothing is ever made or changed, or taken into another file, at a name that this program keeps for itself. */
  ensurePlain(path: RelPath): void {
    if (isOurPlace(path, this.#served)) throw notTheirs()
  }

  /** @throws NOT_GRANTED */
  ensureMay(access: 'read' | 'write', call?: string): void {
    if (access === 'read') return
    if (this.#sync !== undefined && call !== undefined && !SYNC_WRITES.has(call))
      throw new SpacedriveError('NOT_GRANTED', 'that is nothing that a sync does')
    if (this.#access === 'write') return
    throw new SpacedriveError('NOT_GRANTED', 'that folder may be read, not written', {
      hint: 'On the other device: `network grant DEVICE DIR --write`.'
    })
  }

  #writing(handle: number): Writing {
    const writing = this.#writers.get(handle)
    if (writing === undefined) throw new SpacedriveError('GONE', 'that file is not being written')
    return writing
  }

  #keep<T>(map: Map<number, T>, value: T): number {
    const handle = this.#nextHandle++
    map.set(handle, value)
    return handle
  }
}

const notTheirs = () => new SpacedriveError('NOT_GRANTED', 'that belongs to the program there')
