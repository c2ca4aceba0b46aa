import { type Clock, raceSignal } from '../../storage/base/index.js'

/** Sleeps until a time is over or something happens. What happens while nobody sleeps ends the next sleep at once. */
export class Alarm {
  readonly #clock: Clock
  readonly #stopping: AbortSignal
  #woken = false
  #ring = (): void => {}

  /** @param stopping - ends every sleep */
  constructor(clock: Clock, stopping: AbortSignal) {
    this.#clock = clock
    this.#stopping = stopping
  }

  wake(): void {
    this.#woken = true
    this.#ring()
  }

  /** What happened until now is about to be seen to. */
  set(): void {
    this.#woken = false
  }

  /** @returns whether something happened, before the time was over */
  async sleep(ms: number): Promise<boolean> {
    const ended = new AbortController()
    this.#ring = () => ended.abort()
    try {
      if (!this.#woken)
        await raceSignal(this.#clock.sleep(ms, { signal: ended.signal }), this.#stopping).catch(() => {})
    } finally {
      ended.abort()
      this.#ring = () => {}
    }
    const woken = this.#woken
    this.#woken = false
    return woken
  }
}
