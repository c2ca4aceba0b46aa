/** What both runners need around a stream: frames read one ahead, deadlines on the given clock, and a decent end. */
import type { Stream } from '@libp2p/interface'
import { type Clock, type LinkedSignals, linkSignals, raceSignal, SpacedriveError } from '../../storage/base/index.js'
import { FRAME_HEADER_BYTES, frameStream, MAX_PAIRING_FRAME_BYTES, wireError } from '../wire/index.js'

/** More than two frames are never under way; a stranger gets no more memory than that. */
const MAX_QUEUED_BYTES = 2 * (MAX_PAIRING_FRAME_BYTES + FRAME_HEADER_BYTES)
/** How long the other side has to take the last frame before its connection may be cut. */
const LINGER_MS = 1_000

/** A deadline like the one of storage/base, on a clock that is handed in. */
export function deadlineOn(clock: Clock, timeoutMs: number, what: string, parent?: AbortSignal): LinkedSignals {
  const controller = new AbortController()
  const timer = clock.timer(
    () => controller.abort(new SpacedriveError('TIMEOUT', `${what} took longer than ${timeoutMs / 1000} s`)),
    timeoutMs
  )
  const linked = linkSignals(controller.signal, parent)
  return {
    signal: linked.signal,
    clear() {
      timer.clear()
      linked.clear()
    }
  }
}

export interface Wire {
  send(raw: Uint8Array): Promise<void>
  /** The next frame. @throws STREAM_CLOSED when the other side ended the stream; TIMEOUT after `timeoutMs` */
  receive(timeoutMs: number, what: string): Promise<Uint8Array>
  /**
   * Waits for `answer` while nothing may come from the other side.
   * @throws STREAM_CLOSED when it goes away meanwhile, UNEXPECTED_MESSAGE when it speaks
   */
  whileSilent<T>(answer: Promise<T>): Promise<T>
  /** Sends what is left and waits until the other side has closed too, a moment at most. Never throws. */
  end(last?: Uint8Array): Promise<void>
  abort(reason: unknown): void
}

export function wire(stream: Stream, clock: Clock, signal: AbortSignal): Wire {
  const frames = frameStream(stream, { maxFrameBytes: MAX_PAIRING_FRAME_BYTES, maxQueuedBytes: MAX_QUEUED_BYTES })
  // Read ahead: a frame or the end of the stream is noticed also while something else is waited for.
  let pending: Promise<Uint8Array | undefined> | undefined
  const ahead = (): Promise<Uint8Array | undefined> => {
    if (pending === undefined) {
      pending = frames.read({ signal })
      pending.catch(() => {})
    }
    return pending
  }
  const closed = (): Error => wireError('STREAM_CLOSED', 'the other device ended the conversation')

  return {
    send: raw => frames.write(raw, { signal }),
    async receive(timeoutMs, what) {
      const limit = deadlineOn(clock, timeoutMs, what, signal)
      try {
        const frame = await raceSignal(ahead(), limit.signal)
        pending = undefined
        if (frame === undefined) throw closed()
        return frame
      } finally {
        limit.clear()
      }
    },
    async whileSilent(answer) {
      const spoken = ahead().then(frame => {
        throw frame === undefined
          ? closed()
          : wireError('UNEXPECTED_MESSAGE', 'the other device spoke while a person was being asked')
      })
      spoken.catch(() => {})
      return await Promise.race([answer, spoken])
    },
    async end(last) {
      const limit = deadlineOn(clock, LINGER_MS, 'the end of the conversation', signal)
      try {
        if (last !== undefined) await frames.write(last, { signal: limit.signal })
        await frames.closeWrite({ signal: limit.signal })
        await raceSignal(ahead(), limit.signal)
      } catch {
        // It is over either way.
      } finally {
        limit.clear()
      }
    },
    abort: reason => frames.abort(reason)
  }
}
