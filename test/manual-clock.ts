import { type AbortOptions, type Clock, raceSignal, systemClock } from '../storage/base/index.js'

/** Time that stands still until a test moves it: what waits for hours is tried in milliseconds. */
export interface ManualClock extends Clock {
  /** Moves both clocks and calls what is due, in order; turns of the event loop pass in between. */
  advance(ms: number): Promise<void>
  /** Moves the wall clock alone, as a person does who sets it. */
  setWall(nowMs: number): void
}

export function manualClock(startMs: number = systemClock.nowMs()): ManualClock {
  let wall = startMs
  let monotonic = 0
  const timers = new Set<{ at: number; fn: () => void }>()
  const timer = (fn: () => void, ms: number): { clear(): void } => {
    const entry = { at: monotonic + ms, fn }
    timers.add(entry)
    return { clear: () => void timers.delete(entry) }
  }
  const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))
  return {
    nowMs: () => wall,
    monotonicMs: () => monotonic,
    timer,
    sleep(ms, { signal }: AbortOptions = {}) {
      return raceSignal(new Promise<void>(resolve => void timer(resolve, ms)), signal)
    },
    async advance(ms) {
      const end = monotonic + ms
      for (;;) {
        const next = [...timers].filter(t => t.at <= end).sort((a, b) => a.at - b.at)[0]
        if (next === undefined) break
        timers.delete(next)
        wall += Math.max(0, next.at - monotonic)
        monotonic = Math.max(monotonic, next.at)
        next.fn()
        await turn()
      }
      wall += end - monotonic
      monotonic = end
      await turn()
    },
    setWall(nowMs) {
      wall = nowMs
    }
  }
}
