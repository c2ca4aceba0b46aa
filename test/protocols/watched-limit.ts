import { type Pacing, type RateLimits, rateLimits } from '../../protocols/pace/index.js'
import { type DeviceId, raceSignal } from '../../storage/base/index.js'
import { type ManualClock, manualClock } from '../manual-clock.js'
import { type TestPeer, testPeer } from '../peers.js'

const STEP_MS = 1_000

/** Limits of the rate by a clock that stands still until it is moved, and how far what is sent is ahead of what they let through. */
export class WatchedLimit {
  readonly clock: ManualClock
  readonly limits: RateLimits
  /** Of content, by the end that gets it. */
  paidBytes = 0
  /** The most that was sent and not paid. */
  mostAhead = 0
  /** What comes after so much was paid waits for `over`. */
  hold: { readonly fromBytes: number; readonly over: Promise<void> } | undefined
  readonly #peer: TestPeer
  #sentBytes = 0
  #onSent = (): void => {}

  private constructor(peer: TestPeer) {
    this.#peer = peer
    this.clock = manualClock()
    this.limits = rateLimits(peer.instance, this.clock)
  }

  static async open(): Promise<WatchedLimit> {
    return new WatchedLimit(await testPeer({ name: 'limits' }))
  }

  /** @param counts - what comes from that device counts */
  pacing(counts: (device: DeviceId) => boolean = () => true): Pacing {
    const { pacing } = this.limits
    return {
      take: async (device, direction, bytes, options) => {
        await pacing.take(device, direction, bytes, options)
        if (direction === 'up' || !counts(device)) return
        if (this.hold !== undefined && this.paidBytes >= this.hold.fromBytes)
          await raceSignal(this.hold.over, options?.signal)
        this.paidBytes += bytes
      },
      sliceBytes: (device, direction) => pacing.sliceBytes(device, direction)
    }
  }

  /** The other end sent so much. */
  sent(bytes: number): void {
    this.#sentBytes += bytes
    this.mostAhead = Math.max(this.mostAhead, this.#ahead)
    this.#onSent()
  }

  /** Resolves when so much was sent and not paid. */
  ahead(bytes: number): Promise<void> {
    return new Promise(resolve => {
      this.#onSent = () => {
        if (this.#ahead >= bytes) resolve()
      }
      this.#onSent()
    })
  }

  /** Moves the clock until the work is done. */
  async passing(work: Promise<unknown>): Promise<void> {
    let over = false
    const ended = work.finally(() => {
      over = true
    })
    ended.catch(() => {}) // told below
    while (!over) await this.clock.advance(STEP_MS)
    await ended
  }

  /** Counts from 0 again. */
  reset(): void {
    this.paidBytes = 0
    this.mostAhead = 0
    this.hold = undefined
    this.#sentBytes = 0
    this.#onSent = () => {}
  }

  async stop(): Promise<void> {
    await this.#peer.stop()
    this.#peer.clean()
  }

  get #ahead(): number {
    return this.#sentBytes - this.paidBytes
  }
}
