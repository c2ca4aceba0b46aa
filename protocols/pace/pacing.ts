import type { AbortOptions, Clock, DeviceId } from '../../storage/base/index.js'
import { Bucket } from './bucket.js'
import { BURST_SECONDS } from './limits.js'

/** Of content, as this device sees it: to the other one, or from it. */
export type Direction = 'up' | 'down'

/** What moves content asks before each piece. */
export interface Pacing {
  /** Resolves when so many bytes of content may go. @throws `signal.reason` */
  take(device: DeviceId, direction: Direction, bytes: number, options?: AbortOptions): Promise<void>
  /** What is asked for at once, so that all who share the limits of now get on; undefined: no limit. */
  sliceBytes(device: DeviceId, direction: Direction): number | undefined
}

/** For who has no limits. */
export const UNPACED: Pacing = { take: async () => {}, sliceBytes: () => undefined }

/** Stands for all devices together. */
export const ALL = ''

/** A bucket for each device and direction, and one for all of them. */
export class Buckets implements Pacing {
  readonly #clock: Clock
  readonly #rateOf: (device: DeviceId | typeof ALL, direction: Direction) => number | undefined
  readonly #buckets = new Map<string, Bucket>()

  constructor(clock: Clock, rateOf: (device: DeviceId | typeof ALL, direction: Direction) => number | undefined) {
    this.#clock = clock
    this.#rateOf = rateOf
  }

  async take(device: DeviceId, direction: Direction, bytes: number, options?: AbortOptions): Promise<void> {
    // Its own first: a slow device does not hold the place of others in what all share.
    await this.#bucket(device, direction).take(bytes, options)
    await this.#bucket(ALL, direction).take(bytes, options)
  }

  sliceBytes(device: DeviceId, direction: Direction): number | undefined {
    const rates = [this.#rateOf(device, direction), this.#rateOf(ALL, direction)].filter(rate => rate !== undefined)
    return rates.length === 0 ? undefined : Math.ceil(Math.min(...rates) * BURST_SECONDS)
  }

  /** Limits have changed: what waits goes on by the new ones. */
  changed(): void {
    for (const bucket of this.#buckets.values()) bucket.changed()
  }

  #bucket(device: DeviceId | typeof ALL, direction: Direction): Bucket {
    const key = `${direction} ${device}`
    const known = this.#buckets.get(key)
    if (known !== undefined) return known
    const bucket = new Bucket(this.#clock, () => this.#rateOf(device, direction))
    this.#buckets.set(key, bucket)
    return bucket
  }
}
