/**
 * Counts failed requests (PEERS 2). The words themselves cannot be guessed (128 bits); this keeps guessing cheap to refuse
 * and tells the user of it. Only whoever failed waits: a right request of another source is never refused.
 */
import { FAILURE_WINDOW_MS, MAX_SOURCE_FAILURES, MAX_SOURCES, NOTICE_FAILURES, SOURCE_WAIT_MS } from './limits.js'

interface Source {
  failures: number
  lastMs: number
  waitUntilMs: number
}

export class Attempts {
  readonly #sources = new Map<string, Source>() // in the order of their last failure
  #total = 0
  #totalSinceMs = 0

  /** True: this source has to wait, and what it sends is not even read. Does not count. */
  mustWait(source: string, nowMs: number): boolean {
    return (this.#sources.get(source)?.waitUntilMs ?? 0) > nowMs
  }

  /** @returns true when the user should be told: twenty more failures since the last time */
  failed(source: string, nowMs: number): boolean {
    const known = this.#sources.get(source)
    this.#sources.delete(source)
    const fresh = known !== undefined && nowMs - known.lastMs < FAILURE_WINDOW_MS
    const failures = (fresh ? known.failures : 0) + 1
    const waits = failures >= MAX_SOURCE_FAILURES
    this.#sources.set(source, {
      failures: waits ? 0 : failures,
      lastMs: nowMs,
      waitUntilMs: waits ? nowMs + SOURCE_WAIT_MS : 0
    })
    if (this.#sources.size > MAX_SOURCES) {
      const oldest = this.#sources.keys().next().value
      if (oldest !== undefined) this.#sources.delete(oldest)
    }
    if (nowMs - this.#totalSinceMs >= FAILURE_WINDOW_MS) {
      this.#total = 0
      this.#totalSinceMs = nowMs
    }
    this.#total += 1
    if (this.#total < NOTICE_FAILURES) return false
    this.#total = 0
    this.#totalSinceMs = nowMs
    return true
  }

  get sources(): number {
    return this.#sources.size
  }
}
