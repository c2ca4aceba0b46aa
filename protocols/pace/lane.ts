import type { DeviceId } from '../../storage/base/index.js'
import { MIN_MESSAGE_BYTES, SLICES_A_MESSAGE } from './limits.js'
import type { Direction, Pacing } from './pacing.js'

/** The content of one stream in one direction: each piece goes when it may, in the order in which they were asked for. */
export class Lane {
  readonly #pacing: Pacing
  readonly #device: DeviceId
  readonly #direction: Direction
  readonly #signal: AbortSignal
  #last: Promise<void> = Promise.resolve()

  /** @param signal - the stream is over: nothing waits any more */
  constructor(pacing: Pacing, device: DeviceId, direction: Direction, signal: AbortSignal) {
    this.#pacing = pacing
    this.#device = device
    this.#direction = direction
    this.#signal = signal
  }

  /** See `Pacing.sliceBytes`. */
  get sliceBytes(): number | undefined {
    return this.#pacing.sliceBytes(this.#device, this.#direction)
  }

  /**
   * What one message should carry under the limits of now: what was asked for after it comes seconds later, not minutes. undefined: no
   * limit.
   */
  get messageBytes(): number | undefined {
    const slice = this.sliceBytes
    return slice && Math.max(MIN_MESSAGE_BYTES, slice * SLICES_A_MESSAGE)
  }

  /**
   * Resolves when so many bytes may go, and what was asked before has gone. They are paid in slices, in turns with the other streams.
   * @param paid - is told of each slice
   * @throws `signal.reason`
   */
  take(bytes: number, paid?: (bytes: number) => void): Promise<void> {
    const turn = this.#last.then(async () => {
      for (let left = bytes; left > 0; ) {
        const slice = Math.min(left, this.sliceBytes ?? left)
        await this.#pacing.take(this.#device, this.#direction, slice, { signal: this.#signal })
        left -= slice
        paid?.(slice)
      }
    })
    this.#last = turn.catch(() => {}) // told to who asked
    return turn
  }
}
