/** Token bucket: `burst` at once, refilled at `perSecond`. One for each device and purpose; time is handed in. */
export class TokenBucket {
  readonly #perSecond: number
  readonly #burst: number
  readonly #monotonicMs: () => number
  #tokens: number
  #atMs: number

  constructor(perSecond: number, burst: number, monotonicMs: () => number) {
    this.#perSecond = perSecond
    this.#burst = burst
    this.#monotonicMs = monotonicMs
    this.#tokens = burst
    this.#atMs = monotonicMs()
  }

  /** Takes one; false when none is left. */
  take(count = 1): boolean {
    const now = this.#monotonicMs()
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#atMs) / 1000) * this.#perSecond)
    this.#atMs = now
    if (this.#tokens < count) return false
    this.#tokens -= count
    return true
  }
}
