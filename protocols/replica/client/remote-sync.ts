import { type AbortOptions, SpacedriveError } from '../../../storage/base/index.js'
import type { Capabilities, Marker, PlaceResult } from '../../../storage/files/index.js'
import type {
  AnnouncedRun,
  ChangedVectors,
  EndpointKept,
  EndpointStage,
  EndpointSync,
  EndVectors,
  FollowedPage,
  FollowOptions,
  KeptBatch,
  LearnedVersion,
  SeenThing,
  SyncedEnd,
  WatchedPage
} from '../../../sync/endpoints/index.js'
import type { Version } from '../../../sync/reconcile/index.js'
import { wireError } from '../../wire/index.js'
import { followedInOrder } from '../followed.js'
import { GOT_ON_EVERY_MS } from '../limits.js'
import { resultsFromWire, stepsToWire } from '../placing.js'
import type { Caller } from './caller.js'
import { RemoteStage } from './remote-stage.js'

export interface RemoteSyncInit {
  readonly sync: string
  readonly kept: EndpointKept | undefined
  /** That device takes the word that this one gets on. */
  readonly alive: boolean
}

/** A folder of a paired device that was opened for a sync. */
export class RemoteSync implements EndpointSync {
  readonly kept: EndpointKept | undefined
  readonly #caller: Caller
  readonly #sync: string
  readonly #alive: boolean

  constructor(caller: Caller, { sync, kept, alive }: RemoteSyncInit) {
    this.#caller = caller
    this.#sync = sync
    this.#alive = alive
    this.kept = kept
  }

  async marker(options: AbortOptions = {}): Promise<Marker | undefined> {
    const { marker } = (await this.#caller.call('syncMarker', {}, options)).value
    return marker && { root: marker.root, syncs: { [this.#sync]: marker.counter } }
  }

  async open(options: AbortOptions = {}): Promise<SyncedEnd> {
    const { replica, ...capabilities } = (await this.#caller.call('syncOpen', {}, options)).value
    return new RemoteEnd(this.#caller, { capabilities, replica, alive: this.#alive })
  }

  async *watch({ signal }: AbortOptions = {}): AsyncGenerator<WatchedPage, void, void> {
    for await (const { value } of this.#caller.stream('watch', {}, { signal })) {
      this.#caller.rest()
      yield value
    }
  }

  follow({ since, placed, hints, signal }: FollowOptions = {}): AsyncIterable<FollowedPage> {
    const input = { ...(since !== undefined && { since, placed }), ...(hints !== undefined && { hints: [...hints] }) }
    return followedInOrder(this.#caller.stream('syncFollow', input, { signal }), {
      since: since !== undefined,
      nowMs: () => this.#caller.nowMs()
    })
  }
}

interface RemoteEndInit extends Pick<RemoteSyncInit, 'alive'> {
  readonly capabilities: Capabilities
  readonly replica: string | undefined
}

class RemoteEnd implements SyncedEnd {
  readonly capabilities: Capabilities
  readonly vectors: EndVectors | undefined
  readonly #caller: Caller
  readonly #alive: boolean
  /** Of the first announcement. */
  #stage: EndpointStage | undefined
  /** When that end heard last that this one gets on. */
  #saidMs: number
  #saying = false
  #holdsTurn = false

  constructor(caller: Caller, { capabilities, replica, alive }: RemoteEndInit) {
    this.#caller = caller
    this.capabilities = capabilities
    this.vectors = replica === undefined ? undefined : new RemoteVectors(caller, replica)
    this.#alive = alive
    this.#saidMs = caller.nowMs()
    // What a limit of the rate or a slow link makes long is not seen there as getting on.
    caller.whenMoved(() => this.gotOn())
  }

  async stage(): Promise<EndpointStage> {
    if (this.#stage === undefined) throw new SpacedriveError('GUARD', 'nothing was announced')
    return this.#stage
  }

  async announce(
    { run, removed, repacked, replaced, directoriesRemoved }: AnnouncedRun,
    options: AbortOptions = {}
  ): Promise<void> {
    const taken = { removed, repacked, replaced, directoriesRemoved }
    const { value } = await this.#caller.call('syncAnnounce', { run, ...taken }, options)
    this.#stage ??= new RemoteStage(this.#caller, value.id, value.stage, value.fresh)
    this.#holdsTurn = true
  }

  async count(_: string, batch: number, options: AbortOptions = {}): Promise<Pick<Marker, 'root'>> {
    return (await this.#caller.call('syncCount', { batch }, options)).value
  }

  async place(
    { run, steps, why, was, group, notes }: KeptBatch,
    options: AbortOptions = {}
  ): Promise<readonly PlaceResult[]> {
    const input = {
      run,
      steps: stepsToWire(steps),
      why: [...why],
      was: [...was],
      ...(group !== undefined && { group }),
      ...(notes && { notes: [...notes] })
    }
    const { value, data } = await this.#caller.call('syncPlace', input, options)
    return resultsFromWire(steps, value, data)
  }

  /** Counted from the answer on: that end hears no two of them closer together than they were said. */
  gotOn(): void {
    if (!this.#alive || !this.#holdsTurn || this.#saying || this.#caller.nowMs() - this.#saidMs < GOT_ON_EVERY_MS)
      return
    this.#saying = true
    const heard = (): void => {
      this.#saying = false
      this.#saidMs = this.#caller.nowMs()
    }
    this.#caller.call('syncAlive', {}).then(heard, heard) // an end that is gone is told of by what is done with it
  }

  /** A connection that is gone has closed it. */
  async close({ done = false, settled = false }: Parameters<SyncedEnd['close']>[0] = {}): Promise<void> {
    await this.#caller.call('syncClose', { done, settled }).catch(() => {})
  }
}

/** What that device remembers of the versions of a folder. */
class RemoteVectors implements EndVectors {
  readonly replica: string
  readonly #caller: Caller

  constructor(caller: Caller, replica: string) {
    this.#caller = caller
    this.replica = replica
  }

  async changed(
    { after, upto }: { readonly after: number; readonly upto?: number | undefined },
    options: AbortOptions = {}
  ): Promise<ChangedVectors> {
    return (await this.#caller.call('syncChanged', { after, ...(upto !== undefined && { upto }) }, options)).value
  }

  async observe(
    things: readonly SeenThing[],
    round: number,
    options: AbortOptions = {}
  ): Promise<readonly (Version | undefined)[]> {
    const { value } = await this.#caller.call('syncObserve', { things: [...things], round }, options)
    if (value.length !== things.length)
      throw wireError('MALFORMED', 'the device answered something else than was asked: versions')
    return value.map(version => version ?? undefined)
  }

  async learn(notes: readonly LearnedVersion[], options: AbortOptions = {}): Promise<void> {
    await this.#caller.call('syncLearn', { notes: [...notes] }, options)
  }
}
