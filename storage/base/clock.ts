import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AbortOptions } from './abort.js'
import { patientTimer } from './patient-timer.js'

/** Time, handed in by the composition root so that a whole peer can be simulated. */
export interface Clock {
  /** Wall clock, milliseconds since 1970. May go backwards. */
  nowMs(): number
  /** Monotonic milliseconds from an arbitrary start; never goes backwards. */
  monotonicMs(): number
  /** Resolves after `ms`; rejects with `signal.reason`. */
  sleep(ms: number, options?: AbortOptions): Promise<void>
  /** Calls `fn` once after `ms`, unless cleared; never keeps the process alive by itself. */
  timer(fn: () => void, ms: number): { clear(): void }
}

/** Randomness, handed in likewise. Must be cryptographically secure outside simulations. */
export interface Random {
  bytes(length: number): Uint8Array
  /** Uniform in [0, 1): for jitter, never for secrets. */
  float(): number
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  async sleep(ms, { signal } = {}) {
    try {
      await sleep(ms, undefined, signal === undefined ? {} : { signal })
    } catch (err) {
      throw signal?.aborted ? signal.reason : err
    }
  },
  timer(fn, ms) {
    return patientTimer(fn, ms, { keepsAlive: false })
  }
}

export const systemRandom: Random = {
  bytes: length => new Uint8Array(randomBytes(length)),
  float: () => Math.random()
}
