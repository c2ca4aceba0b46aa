import type { Clock } from '../../../storage/base/index.js'
import { type Answering, MAX_LINK_PATIENCE_MS, wireError } from '../../wire/index.js'
import { MAX_ALIVE_ONLY_MS, SILENCE_MS } from '../limits.js'

/** Who dribbles is as silent as who says nothing: some 128 bytes a second. */
const HEARD_BYTES = 4 * 1024

export interface SilenceInit {
  readonly clock: Clock
  /** Tells a slow link from a silent device. */
  readonly peer?: Answering | undefined
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
  /** Since it was heard last: whether the link alone keeps what it says. `asked`: not known yet. */
  #link: 'unasked' | 'asked' | 'answered' = 'unasked'

  constructor(init: SilenceInit) {
    this.#init = init
    this.#heardMs = init.clock.monotonicMs()
    this.#answeredMs = this.#heardMs
    this.#timer = this.#again()
  }

  /** A frame came. @param alive - which says nothing but that the device is still at it */
  heard(alive: boolean): void {
    this.#heardMs = this.#init.clock.monotonicMs()
    this.#link = 'unasked'
    if (!alive) this.#answeredMs = this.#heardMs
    this.#bytesIn = this.#init.wire.bytesIn
  }

  stop(): void {
    this.#timer.clear()
  }

  /** A question may be on its way for a minute where the link is full of content, and its answer too. */
  #isInLink(): boolean {
    const { peer, clock } = this.#init
    if (peer?.answers === undefined || this.#link === 'answered') return false
    if (this.#link === 'asked') return true
    this.#link = 'asked'
    void peer.answers(MAX_LINK_PATIENCE_MS).then(answered => {
      if (this.#link !== 'asked') return
      this.#link = 'answered'
      // What it said before is here by now: so long it may take for what it says then.
      if (answered) this.#heardMs = clock.monotonicMs()
    })
    return true
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
      if (silentMs >= SILENCE_MS && this.#isInLink()) {
        this.#timer = this.#again()
        return
      }
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
