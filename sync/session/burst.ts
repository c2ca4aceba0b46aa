import type { Clock } from '../../storage/base/index.js'
import type { Alarm } from './alarm.js'

/** While files go on to be deleted a plan waits for the rest, to be judged whole (SYNC.md 4): this long after the last one ... */
export const BURST_QUIET_MS = 300
/** ... and no longer than this. */
export const BURST_MAX_MS = 10_000
/** Woken so much too late this process stood still: what was told meanwhile is on its way, a watcher gathers for up to 100 ms. */
export const STOOD_STILL_MS = 100

/** Deletions that go on: what is deleted in one go is judged in one go. */
export class Burst {
  readonly #alarm: Alarm
  readonly #clock: Clock
  #latestMs: number

  /** Begins now. @param alarm - rings when something is told */
  constructor(alarm: Alarm, clock: Clock) {
    this.#alarm = alarm
    this.#clock = clock
    this.#latestMs = clock.monotonicMs() + BURST_MAX_MS
  }

  /** Until nothing more was told for a while in which it could have been heard, or it took too long since it began. */
  async ended(): Promise<void> {
    const now = (): number => this.#clock.monotonicMs()
    for (let left = this.#latestMs - now(); left > 0; left = this.#latestMs - now()) {
      const forMs = Math.min(BURST_QUIET_MS, left)
      const dueMs = now() + forMs
      if (await this.#alarm.sleep(forMs)) continue
      const lateMs = now() - dueMs
      if (lateMs < STOOD_STILL_MS) return
      // Each round takes at least its sleep off the rest: a machine that is late always comes to an end, too.
      this.#latestMs += lateMs
    }
  }
}
