import { type AbortOptions, type Clock, SpacedriveError } from '../../storage/base/index.js'
import type { Capabilities, Marker, PlaceResult, PlaceStep } from '../../storage/files/index.js'
import type { AnnouncedRun, Endpoint, EndpointStage, KeptBatch, SyncedEnd } from '../endpoints/index.js'
import { type FolderVectors, type OpenedEnd, openEnd, placeAt, type TakeOptions } from '../session/index.js'
import { ServingGuards, type ServingGuardsInit, windowSinceMs } from './guards.js'
import { ownBatch } from './own-batch.js'
import { isWritten, type ServedSync } from './record.js'
import { servingWrites } from './serving.worker.js'
import { StagedHashes } from './staged-hashes.js'

export interface ServingEndInit extends ServingGuardsInit {
  readonly clock: Clock
  readonly sync: ServedSync
  /** The folder, of this device. */
  readonly endpoint: Endpoint
  /** The driver, for people. */
  readonly from: string
  /** Versions of what lies there, where they decide. */
  readonly vectors: FolderVectors | undefined
  /** Before names are given and taken: whatever comes of it, the driver is told of them the next time that it asks. */
  placing(steps: readonly PlaceStep[]): Promise<void>
  /** After that: what came of it. It may be lost. */
  placed(steps: readonly PlaceStep[], results: readonly PlaceResult[]): Promise<void>
  /** One sync at a time changes a folder. @throws {SpacedriveError} BUSY; `signal.reason` */
  turn(options: TakeOptions): Promise<() => void>
}

/**
 * The folder of a served sync, open for writing: what a driver may do with it. Old contents go to the versions here whatever the
 * driver says; names are given and taken only by `place`, which counts.
 */
export class ServingEnd implements SyncedEnd {
  readonly #init: ServingEndInit
  readonly #guards: ServingGuards
  readonly #end: OpenedEnd
  readonly #staged = new StagedHashes()
  #stage: Promise<EndpointStage> | undefined
  #endTurn: (() => void) | undefined
  #wanted = false
  #asides = 0
  /** One batch at a time. */
  #placing: Promise<unknown> = Promise.resolve()
  #closed: Promise<void> | undefined

  private constructor(init: ServingEndInit, end: OpenedEnd) {
    this.#init = init
    this.#end = end
    this.#guards = new ServingGuards(init)
  }

  /** Completes or takes back what a crash left, old contents first. */
  static async open(init: ServingEndInit, options: AbortOptions): Promise<ServingEnd> {
    const { sync, endpoint, clock, turn } = init
    if (!isWritten(sync)) throw new SpacedriveError('NOT_GRANTED', 'that end is only read')
    const endTurn = await turn(options)
    try {
      return new ServingEnd(init, await openEnd(endpoint, sync.uuid, clock, { ...options, keepStaged: true }))
    } finally {
      endTurn()
    }
  }

  get capabilities(): Capabilities {
    return this.#end.root.capabilities
  }

  get vectors(): FolderVectors | undefined {
    return this.#init.vectors
  }

  /** Nobody else changes the folder until it is closed. */
  get holdsTurn(): boolean {
    return this.#endTurn !== undefined && this.#closed === undefined
  }

  /** Somebody else came for it meanwhile. */
  get isWanted(): boolean {
    return this.#wanted
  }

  stage(options?: AbortOptions): Promise<EndpointStage> {
    this.#stage ??= this.#staging(options).then(staging => this.#staged.noting(staging))
    return this.#stage
  }

  /** Nobody else changes the folder from then on: whoever has no turn cannot keep others waiting. */
  async #staging(options?: AbortOptions): ReturnType<OpenedEnd['stage']> {
    if (this.#endTurn === undefined) throw new SpacedriveError('GUARD', 'nothing was announced')
    return this.#end.stage(options)
  }

  async announce(run: AnnouncedRun, options: AbortOptions = {}): Promise<void> {
    this.#endTurn ??= await this.#init.turn({
      ...options,
      wanted: () => {
        this.#wanted = true
      }
    })
    await this.#guards.announce(run)
  }

  async count(_: string, batch: number, options?: AbortOptions): Promise<Pick<Marker, 'root'>> {
    return this.#end.root.count(this.#init.sync.uuid, batch, options)
  }

  place(batch: KeptBatch, options: AbortOptions = {}): Promise<readonly PlaceResult[]> {
    const placed = this.#placing.then(() => this.#place(batch, options))
    this.#placing = placed.catch(() => {})
    return placed
  }

  async #place(batch: KeptBatch, options: AbortOptions): Promise<readonly PlaceResult[]> {
    const { endpoint, from, vectors, placing, placed } = this.#init
    const { root, versions } = this.#end
    const staging = await this.#staging(options)
    const nextAside = (): number => this.#asides++
    const own = await ownBatch({ endpoint, from, nextAside, staging: staging.id, staged: this.#staged }, batch, options)
    await this.#guards.begin(own)
    await placing(own.steps)
    if (own.lines.length > 0) await versions.record(own.lines, options)
    // What is begun is done to its end, whoever goes away meanwhile.
    const place = () => placeAt(root, own.steps, batch.group !== undefined)
    const { notes } = batch
    const results =
      vectors === undefined || notes === undefined ? await place() : await vectors.noting(own.steps, notes, place)
    await versions.keep({ steps: own.steps, results, lines: own.lines })
    // A group has names that turn: the next scan sees what came of them.
    if (batch.group === undefined) await placed(own.steps, results)
    this.#staged.forget(own.steps.flatMap(step => ('from' in step ? [step.from.path] : [])))
    return results
  }

  close({ done = false, settled = false }: Parameters<SyncedEnd['close']>[0] = {}): Promise<void> {
    this.#closed ??= this.#close(done, settled)
    return this.#closed
  }

  async #close(done: boolean, settled: boolean): Promise<void> {
    const { db, clock, sync } = this.#init
    await this.#placing
    try {
      await this.#end.close(done || this.#staged.full)
      const now = clock.nowMs()
      if (done) await db.write(servingWrites.ended, { id: sync.id, at: now, since: windowSinceMs(now), settled })
    } finally {
      this.#endTurn?.()
    }
  }
}

/** The marker as the driver of one sync may see it. */
export async function markerFor(
  { uuid }: ServedSync,
  endpoint: Endpoint,
  options: AbortOptions
): Promise<Marker | undefined> {
  const marker = await endpoint.local?.marker(options)
  return marker && { root: marker.root, syncs: { [uuid]: marker.syncs[uuid] ?? 0 } }
}
