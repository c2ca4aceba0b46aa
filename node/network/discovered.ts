import { TokenBucket } from '../../protocols/wire/index.js'
import type { Clock, DeviceId } from '../../storage/base/index.js'
import { MAX_DISCOVERED } from './limits.js'

export interface Seen {
  readonly device: DeviceId
  readonly addresses: readonly string[]
  readonly via: 'lan' | 'dht'
}

/** New or changed peers that are told of: a flood of made-up ones must not become a flood of events. */
const NEWS_PER_SECOND = 5
const NEWS_BURST = 64
/** Addresses kept for a peer. */
const MAX_ADDRESSES = 8

/** Peers seen on the network. Bounded: the longest unseen gives way, those that are known here last. */
export class Discovered {
  readonly #seen = new Map<DeviceId, Seen>()
  readonly #isKnown: (device: DeviceId) => boolean
  readonly #news: TokenBucket

  constructor(clock: Clock, isKnown: (device: DeviceId) => boolean) {
    this.#isKnown = isKnown
    this.#news = new TokenBucket(NEWS_PER_SECOND, NEWS_BURST, () => clock.monotonicMs())
  }

  /** @returns true when somebody should be told: it is new, or its addresses are others */
  add({ device, addresses, via }: Seen): boolean {
    const before = this.#seen.get(device)
    const kept = addresses.slice(0, MAX_ADDRESSES)
    this.#seen.delete(device)
    this.#seen.set(device, { device, addresses: kept, via }) // the longest unseen comes first
    if (this.#seen.size > MAX_DISCOVERED) {
      const weakest = [...this.#seen.keys()].find(d => !this.#isKnown(d)) ?? this.#seen.keys().next().value!
      this.#seen.delete(weakest)
    }
    const same = before !== undefined && [...before.addresses].sort().join() === [...kept].sort().join()
    return !same && this.#news.take()
  }

  get(device: DeviceId): Seen | undefined {
    return this.#seen.get(device)
  }

  list(): readonly Seen[] {
    return [...this.#seen.values()]
  }
}
