import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { LoopDelay } from '../compose.js'

/** A sample every 10 ms: below that the sampling itself would be seen. What is measured is the delay beyond it. */
const RESOLUTION_MS = 10

/** Watches how late the event loop is: DESIGN 4 promises 99.9 % of the turns under 50 ms after the start, hence `reset`. */
export function watchLoop(): { read(): LoopDelay; reset(): void; stop(): void } {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  histogram.enable()
  const ms = (ns: number): number => Math.max(0, Math.round((ns / 1e6 - RESOLUTION_MS) * 10) / 10)
  return {
    read: () => ({
      p50: ms(histogram.percentile(50)),
      p99: ms(histogram.percentile(99)),
      p999: ms(histogram.percentile(99.9)),
      max: ms(histogram.max)
    }),
    reset: () => histogram.reset(),
    stop: () => void histogram.disable()
  }
}
