import { type Clock, systemClock } from '../storage/base/index.js'

/** The real clock that can be put forward: what was due in between happens at once, in its order. */
export interface JumpClock extends Clock {
  /** Both clocks go on by so much. */
  jump(ms: number): void
  /** The wall clock alone is set. */
  setWall(byMs: number): void
}

export function jumpClock(): JumpClock {
  let ahead = 0
  let wall = 0
  const due = new Map<object, { atMs: number; fire(): void }>()
  const monotonicMs = (): number => systemClock.monotonicMs() + ahead
  const clock: JumpClock = {
    nowMs: () => systemClock.nowMs() + ahead + wall,
    monotonicMs,
    timer(fn, ms) {
      const key = {}
      const fire = (): void => {
        real.clear()
        if (due.delete(key)) fn()
      }
      const real = systemClock.timer(fire, ms)
      due.set(key, { atMs: monotonicMs() + ms, fire })
      return {
        clear() {
          due.delete(key)
          real.clear()
        }
      }
    },
    sleep(ms, { signal } = {}) {
      return new Promise<void>((resolve, reject) => {
        if (signal?.aborted) {
          reject(signal.reason)
          return
        }
        const aborted = (): void => {
          clearInterval(alive)
          timer.clear()
          reject(signal?.reason)
        }
        // Unlike a timer a sleep keeps the process alive.
        const alive = setInterval(() => {}, 60_000)
        const timer = clock.timer(() => {
          clearInterval(alive)
          signal?.removeEventListener('abort', aborted)
          resolve()
        }, ms)
        signal?.addEventListener('abort', aborted, { once: true })
      })
    },
    jump(ms) {
      ahead += ms
      const now = monotonicMs()
      for (const { fire } of [...due.values()].filter(d => d.atMs <= now).sort((a, b) => a.atMs - b.atMs)) fire()
    },
    setWall(byMs) {
      wall += byMs
    }
  }
  return clock
}
