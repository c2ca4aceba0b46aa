import type { Clock, ProgressFields } from '../../storage/base/index.js'
import { PROGRESS_INTERVAL_MS } from './limits.js'

export type TransferPhase = 'waiting' | 'verifying' | 'transferring' | 'placing'

export interface ProgressMeter {
  phase(phase: TransferPhase): void
  /** What is done in all. What was said once is never taken back. */
  done(files: number, bytes: number): void
  problems(count: number): void
  readonly files: number
  readonly bytes: number
  stop(): void
}

/** The rate is that of the last few seconds: a shorter window jumps, a longer one lags behind a stall. */
const RATE_WINDOW_MS = 3_000

/** Turns what the workers say (hundreds of times a second) into what people see (ten times a second at most). */
export function progressMeter(
  clock: Clock,
  totals: { files: number; bytes: number },
  report: (progress: ProgressFields) => void
): ProgressMeter {
  let phase: TransferPhase = 'waiting'
  let files = 0
  let bytes = 0
  let problems = 0
  let timer: { clear(): void } | undefined
  let reportedMs = Number.NEGATIVE_INFINITY
  let samples: { atMs: number; bytes: number }[] = []

  const now = (): void => {
    timer?.clear()
    timer = undefined
    const atMs = clock.monotonicMs()
    reportedMs = atMs
    samples.push({ atMs, bytes })
    while (samples.length > 2 && atMs - samples[0]!.atMs > RATE_WINDOW_MS) samples.shift()
    const first = samples[0]!
    const rate =
      phase === 'transferring' && atMs > first.atMs ? ((bytes - first.bytes) / (atMs - first.atMs)) * 1000 : 0
    report({
      phase,
      doneFiles: files,
      totalFiles: totals.files,
      doneBytes: bytes,
      totalBytes: totals.bytes,
      bytesPerSecond: Math.round(rate),
      remainingMs: rate > 0 ? Math.round(((totals.bytes - bytes) / rate) * 1000) : null,
      problems
    })
  }
  const soon = (): void => {
    if (timer !== undefined) return
    const waitMs = PROGRESS_INTERVAL_MS - (clock.monotonicMs() - reportedMs)
    if (waitMs <= 0) now()
    else timer = clock.timer(now, waitMs)
  }

  return {
    phase(next) {
      if (next === phase) return
      phase = next
      samples = []
      now()
    },
    done(doneFiles, doneBytes) {
      files = Math.max(files, doneFiles)
      bytes = Math.max(bytes, doneBytes)
      soon()
    },
    problems(count) {
      problems = count
      soon()
    },
    get files() {
      return files
    },
    get bytes() {
      return bytes
    },
    stop: () => timer?.clear()
  }
}
