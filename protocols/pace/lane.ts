import type { DeviceId } from '../../storage/base/index.js'
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

  /** Resolves when so many bytes may go, and what was asked before has gone. @throws `signal.reason` */
  take(bytes: number): Promise<void> {
    const turn = this.#last.then(() =>
      this.#pacing.take(this.#device, this.#direction, bytes, { signal: this.#signal })
    )
    this.#last = turn.catch(() => {}) // told to who asked
    return turn
  }
}
