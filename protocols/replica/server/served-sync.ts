import { type AbortOptions, SpacedriveError } from '../../../storage/base/index.js'
import type { Marker } from '../../../storage/files/index.js'
import type {
  Endpoint,
  EndpointStage,
  EndVectors,
  FollowedPage,
  FollowOptions,
  SyncedEnd,
  WatchedPage
} from '../../../sync/endpoints/index.js'
import {
  isWritten,
  type KeptThere,
  markerFor,
  type ServedSync,
  type ServedSyncs,
  type ServingEnd
} from '../../../sync/serving/index.js'

/** How a folder that was opened for a sync is served. */
export interface SyncPort {
  readonly sync: ServedSync
  openEnd: ServedSyncs['openEnd']
  /** What that end keeps, for one session. @throws {SpacedriveError} NOT_GRANTED */
  kept(endpoint: Endpoint): Promise<KeptThere>
  watch(endpoint: Endpoint, options: AbortOptions): AsyncIterable<WatchedPage>
  follow(endpoint: Endpoint, options: FollowOptions): AsyncIterable<FollowedPage>
}

/** The sync for which a folder was opened: what its driver may do besides looking and reading. */
export class ServedForSync {
  readonly #port: SyncPort
  readonly #endpoint: Endpoint
  #end: ServingEnd | undefined
  #kept: Promise<KeptThere> | undefined

  constructor(port: SyncPort, endpoint: Endpoint) {
    this.#port = port
    this.#endpoint = endpoint
  }

  /** Its versions. @throws {SpacedriveError} NOT_GRANTED */
  kept(): Promise<KeptThere> {
    this.#kept ??= this.#port.kept(this.#endpoint)
    return this.#kept
  }

  marker(options: AbortOptions): Promise<Marker | undefined> {
    return markerFor(this.#port.sync, this.#endpoint, options)
  }

  get holdsTurn(): boolean {
    return this.#end?.holdsTurn === true
  }

  get isWanted(): boolean {
    return this.#end?.isWanted === true
  }

  get uuid(): string {
    return this.#port.sync.uuid
  }

  async open(options: AbortOptions): Promise<SyncedEnd> {
    if (this.#end !== undefined) throw new SpacedriveError('TOO_MANY', 'it is open for writing already')
    this.#end = await this.#port.openEnd(this.#port.sync, this.#endpoint, options)
    return this.#end
  }

  /** @throws {SpacedriveError} GONE when it is not open for writing */
  get end(): SyncedEnd {
    if (this.#end === undefined) throw new SpacedriveError('GONE', 'that end is not open for writing')
    return this.#end
  }

  /** @throws {SpacedriveError} GONE when none are kept for it */
  get vectors(): EndVectors {
    const { vectors } = this.end
    if (vectors === undefined) throw new SpacedriveError('GONE', 'no versions are kept for that sync')
    return vectors
  }

  stage(options: AbortOptions): Promise<EndpointStage> {
    return this.end.stage(options)
  }

  watch(options: AbortOptions): AsyncIterable<WatchedPage> {
    return this.#port.watch(this.#endpoint, options)
  }

  follow(options: FollowOptions): AsyncIterable<FollowedPage> {
    return this.#port.follow(this.#endpoint, options)
  }

  async close(how: Parameters<SyncedEnd['close']>[0] = {}): Promise<void> {
    const end = this.#end
    this.#end = undefined
    await end?.close(how)
  }

  /** The session is over. */
  async leave(): Promise<void> {
    await this.close()
    await (await this.#kept?.catch(() => undefined))?.close()
  }

  /** What is asked of its versions is answered. */
  get keeps(): boolean {
    return isWritten(this.#port.sync)
  }
}
