import type { AbortOptions, Clock } from '../../storage/base/index.js'
import { BURST_SECONDS, LOOK_EVERY_MS } from './limits.js'

interface Waiting {
  readonly bytes: number
  go(): void
}

/**
 * A token bucket that may go into debt: a frame goes as soon as nothing is owed, however large it is, and what follows waits
 * until it is paid. So the rate holds at the mean, whatever the size of pieces. First come, first served: who asks for small ones,
 * one after the other, takes turns with the others.
 */
export class Bucket {
  readonly #clock: Clock
  readonly #rate: () => number | undefined
  readonly #waiting: Waiting[] = []
  #balance = 0
  #atMs: number
  /** The rate since `#atMs`. */
  #since: number | undefined
  #timer: { clear(): void } | undefined

  /** @param rate - bytes a second now; undefined: no limit */
  constructor(clock: Clock, rate: () => number | undefined) {
    this.#clock = clock
    this.#rate = rate
    this.#atMs = clock.monotonicMs()
    this.#since = rate()
  }

  /** Resolves when so many bytes may go. @throws `signal.reason` */
  async take(bytes: number, { signal }: AbortOptions = {}): Promise<void> {
    signal?.throwIfAborted()
    this.#look()
    if (this.#waiting.length === 0 && (this.#since === undefined || this.#balance >= 0)) {
      this.#spend(bytes)
      return
    }
    await new Promise<void>((resolve, reject) => {
      const give = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1)
        reject(signal?.reason)
      }
      const waiting: Waiting = {
        bytes,
        go: () => {
          signal?.removeEventListener('abort', give)
          resolve()
        }
      }
      this.#waiting.push(waiting)
      signal?.addEventListener('abort', give, { once: true })
      this.#wait()
    })
  }

  /** The rate may have changed: what waits goes on by the new one. */
  changed(): void {
    this.#look()
    this.#serve()
  }

  /** Earns for the time that went by, and takes the rate of now for what comes. */
  #look(): void {
    const nowMs = this.#clock.monotonicMs()
    if (this.#since !== undefined) {
      const earned = ((nowMs - this.#atMs) / 1000) * this.#since
      this.#balance = Math.min(this.#balance + earned, this.#since * BURST_SECONDS)
    }
    this.#atMs = nowMs
    const rate = this.#rate()
    if (rate === undefined) this.#balance = 0
    // What was owed at the rate of before is paid in the time that it would have taken then, not in days.
    else if (this.#balance < 0 && this.#since !== undefined && rate < this.#since) this.#balance *= rate / this.#since
    this.#since = rate
  }

  #spend(bytes: number): void {
    if (this.#since !== undefined) this.#balance -= bytes
  }

  #serve(): void {
    while (this.#waiting.length > 0 && (this.#since === undefined || this.#balance >= 0)) {
      const next = this.#waiting.shift()!
      this.#spend(next.bytes)
      next.go()
    }
    this.#wait()
  }

  #wait(): void {
    this.#timer?.clear()
    this.#timer = undefined
    if (this.#waiting.length === 0 || this.#since === undefined) return
    const untilPaidMs = Math.ceil((-this.#balance / this.#since) * 1000)
    this.#timer = this.#clock.timer(() => this.changed(), Math.min(Math.max(1, untilPaidMs), LOOK_EVERY_MS))
  }
}
