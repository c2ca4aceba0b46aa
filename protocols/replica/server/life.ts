import type { Clock } from '../../../storage/base/index.js'
import { wireError } from '../../wire/index.js'
import { ALIVE_EVERY_MS } from '../limits.js'
import { type TurnState, TurnWatch } from './turn-watch.js'

export interface LifeInit {
  readonly clock: Clock
  /** Bytes that came and went, parts of frames among them: a frame may take minutes. */
  readonly wire: { readonly bytesIn: number; readonly bytesOut: number; readonly isArriving: boolean }
  /** An answer is due from here. */
  isBusy(): boolean
  turn(): TurnState
  /** Says that this end is still at it. */
  say(): void
  /** The device is given up. */
  over(err: Error): void
}

/** Says of a session that it is still at it, and sees to it that the other side is. */
export class Life {
  readonly #init: LifeInit
  readonly #turn: TurnWatch
  #saidMs: number
  #bytesIn = 0
  #bytes = 0
  #timer: { clear(): void }

  constructor(init: LifeInit) {
    this.#init = init
    this.#saidMs = init.clock.monotonicMs()
    this.#turn = new TurnWatch(this.#saidMs)
    this.#timer = this.#again()
  }

  stop(): void {
    this.#timer.clear()
  }

  /** Something was said. */
  said(): void {
    this.#saidMs = this.#init.clock.monotonicMs()
  }

  /** What the device kept the folder for was done. */
  placed(): void {
    this.#turn.placed()
  }

  /** The device says that it gets on. @returns false: too often; then this is over */
  heardWord(): boolean {
    const heard = this.#turn.saidAlive(this.#init.clock.monotonicMs())
    if (!heard) this.#init.over(wireError('FLOODED', 'the device says too often that it gets on'))
    return heard
  }

  #again(): { clear(): void } {
    return this.#init.clock.timer(() => this.#look(), ALIVE_EVERY_MS)
  }

  #look(): void {
    const { clock, wire, isBusy, turn, say, over } = this.#init
    const nowMs = clock.monotonicMs()
    const { bytesIn } = wire
    // Who sends a long question over a slow link waits for an answer from its first byte on.
    const isDue = isBusy() || (wire.isArriving && bytesIn > this.#bytesIn)
    this.#bytesIn = bytesIn
    if (isDue && nowMs - this.#saidMs >= ALIVE_EVERY_MS) say()
    const bytes = bytesIn + wire.bytesOut
    this.#turn.moved(bytes - this.#bytes)
    this.#bytes = bytes
    if (this.#turn.isOver(nowMs, turn()))
      over(wireError('TIMEOUT', 'the device kept a folder to itself and did not get on'))
    this.#timer = this.#again()
  }
}
