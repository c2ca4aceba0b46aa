import type { Clock } from '../../../storage/base/index.js'
import { wireError } from '../../wire/index.js'
import { MAX_ALIVE_ONLY_MS, SILENCE_MS } from '../limits.js'

/** Who dribbles is as silent as who says nothing: some 128 bytes a second. */
const HEARD_BYTES = 4 * 1024

export interface SilenceInit {
  readonly clock: Clock
  /** What was asked for is due from the other device. */
  isDue(): boolean
  /** An answer, or a part of one, has come that nobody here has taken yet: the other device may not go on. */
  isUntaken(): boolean
  /** Bytes that came and went, parts of frames among them: a frame may take minutes. */
  readonly wire: { readonly bytesIn: number; readonly bytesOut: number }
  /** Some have since the last look. */
  moved(): void
  /** Called once. */
  tooLong(err: Error): void
}

/** Whether an answer that is due is still to be waited for: something is heard, and now and then more than a sign of life. */
export class Silence {
  readonly #init: SilenceInit
  #heardMs: number
  /** The last time that it was not up to the other device to go on. */
  #answeredMs: number
  #bytesIn = 0
  #bytesOut = 0
  #timer: { clear(): void }

  constructor(init: SilenceInit) {
    this.#init = init
    this.#heardMs = init.clock.monotonicMs()
    this.#answeredMs = this.#heardMs
    this.#timer = this.#again()
  }

  /** A frame came. @param alive - which says nothing but that the device is still at it */
  heard(alive: boolean): void {
    this.#heardMs = this.#init.clock.monotonicMs()
    if (!alive) this.#answeredMs = this.#heardMs
    this.#bytesIn = this.#init.wire.bytesIn
  }

  stop(): void {
    this.#timer.clear()
  }

  #again(): { clear(): void } {
    return this.#init.clock.timer(() => this.#look(), SILENCE_MS / 4)
  }

  #look(): void {
    const { clock, isDue, isUntaken, tooLong, wire, moved } = this.#init
    if (wire.bytesIn - this.#bytesIn >= HEARD_BYTES) this.heard(false)
    if (wire.bytesOut > this.#bytesOut || wire.bytesIn > this.#bytesIn) moved()
    this.#bytesOut = wire.bytesOut
    const nowMs = clock.monotonicMs()
    if (isDue()) {
      if (isUntaken()) this.#answeredMs = nowMs
      const silentMs = nowMs - this.#heardMs
      const [why, tooLongMs] =
        silentMs >= SILENCE_MS
          ? ['said nothing', silentMs]
          : ['said only that it is still at it', nowMs - this.#answeredMs]
      if (silentMs >= SILENCE_MS || tooLongMs >= MAX_ALIVE_ONLY_MS) {
        tooLong(wireError('TIMEOUT', `the other device ${why} for ${Math.round(tooLongMs / 1000)} s`))
        return
      }
    }
    this.#timer = this.#again()
  }
}
