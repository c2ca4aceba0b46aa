import type { Clock } from '../../../storage/base/index.js'
import { wireError } from '../../wire/index.js'
import type { TransferTimings } from '../timings.js'

export interface WatchdogInit {
  readonly clock: Clock
  readonly timings: TransferTimings
  /** We were silent for `busyMs`. */
  onQuiet(): void
  /** The other side was silent for too long, or slower than the minimum rate. Called once. */
  onExpired(reason: Error): void
  /** Bytes the other side moved so far, while it is its turn to move some; undefined while it is not. */
  movedBytes(): number | undefined
  /** Bytes that came and went, parts of frames among them: a frame may take minutes. */
  readonly wire: { readonly bytesIn: number; readonly bytesOut: number }
}

export interface Watchdog {
  /** A frame of the other side came. */
  heard(): void
  /** We sent a frame. */
  said(): void
  /** The other side may move nothing for this much longer (it hashes what is there). */
  excuse(ms: number): void
  stop(): void
}

/** Fractions of a deadline between two looks at the clock: a deadline is kept to a quarter of itself. */
const LOOKS_PER_DEADLINE = 4

/** Keeps the deadlines of one stream: silence of either side, and the minimum rate. */
export function watchdog({ clock, timings, onQuiet, onExpired, movedBytes, wire }: WatchdogInit): Watchdog {
  const { idleMs, busyMs, rateWindowMs, minBytesPerSecond } = timings
  let heardMs = clock.monotonicMs()
  let saidMs = heardMs
  // Who dribbles is as silent as who says nothing.
  const heardBytes = (minBytesPerSecond * idleMs) / 1000
  let bytesIn = 0
  let bytesOut = 0
  let windowMs = heardMs
  let windowBytes: number | undefined
  const everyMs = Math.max(1, Math.min(idleMs, busyMs, rateWindowMs) / LOOKS_PER_DEADLINE)
  let stopped = false
  let timer = clock.timer(look, everyMs)

  function look(): void {
    const now = clock.monotonicMs()
    if (wire.bytesOut > bytesOut) saidMs = now
    bytesOut = wire.bytesOut
    if (wire.bytesIn - bytesIn >= heardBytes) heard(now)
    if (now - saidMs >= busyMs) {
      saidMs = now
      onQuiet()
    }
    if (now - heardMs >= idleMs) expire(`the other device said nothing for ${Math.round(idleMs / 1000)} s`)
    const moved = movedBytes()
    if (moved === undefined || windowBytes === undefined) {
      windowBytes = moved
      windowMs = Math.max(windowMs, now)
    } else if (now - windowMs >= rateWindowMs) {
      if (moved - windowBytes < (minBytesPerSecond * rateWindowMs) / 1000)
        expire(`the other device moved ${moved - windowBytes} bytes in ${Math.round(rateWindowMs / 1000)} s`)
      windowBytes = moved
      windowMs = now
    }
    if (!stopped) timer = clock.timer(look, everyMs)
  }
  function heard(now: number): void {
    heardMs = now
    bytesIn = wire.bytesIn
  }
  function expire(text: string): void {
    if (stopped) return
    stopped = true
    onExpired(wireError('TIMEOUT', text))
  }

  return {
    heard: () => heard(clock.monotonicMs()),
    said: () => {
      saidMs = clock.monotonicMs()
    },
    excuse: ms => {
      windowMs = clock.monotonicMs() + ms
    },
    stop: () => {
      stopped = true
      timer.clear()
    }
  }
}
