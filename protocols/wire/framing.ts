/**
 * Frames on a libp2p stream: a 4-byte big-endian length, then that many bytes (reference: libp2p-facts.md, "Flow control").
 * The reader is our own: it queues what arrives up to a bound and never uses pause/resume, which lose data; the writer waits
 * for `drain` by listening (the stream's own onDrain works only once).
 */
import type { Stream } from '@libp2p/interface'
import { pEvent } from 'p-event'
import { type AbortOptions, deadline, toError } from '../../storage/base/index.js'
import { DRAIN_TIMEOUT_MS, MAX_QUEUED_BYTES } from './limits.js'
import { type Answering, patientDeadline } from './patience.js'
import { wireError } from './wire-error.js'

export const FRAME_HEADER_BYTES = 4

export interface FrameStreamInit {
  /** A longer frame ends the stream before anything is allocated. */
  maxFrameBytes: number
  /** Bytes that may wait unread; more ends the stream with FLOODED. */
  maxQueuedBytes?: number
}

export interface ReadOptions extends AbortOptions {
  /** Ends the wait with TIMEOUT; unset: only the signal does. */
  timeoutMs?: number
  /** Whose link may be so slow that `timeoutMs` says nothing of it: see `patientDeadline`. */
  peer?: Answering
}

export interface FrameStream {
  /** The next frame; undefined when the peer closed its side between frames. @throws TRUNCATED, FRAME_TOO_LARGE, FLOODED, STREAM_CLOSED, TIMEOUT */
  read(options?: ReadOptions): Promise<Uint8Array | undefined>
  /** Sends one frame (the parts joined) and waits while the peer does not take it. Calls are sent in their order. */
  write(payload: Uint8Array | readonly Uint8Array[], options?: AbortOptions): Promise<void>
  /** Says that nothing more will be written; reading goes on. */
  closeWrite(options?: AbortOptions): Promise<void>
  /** Ends both directions at once; safe to call at any time, more than once. */
  abort(reason: unknown): void
  readonly stream: Stream
}

export function frameStream(
  stream: Stream,
  { maxFrameBytes, maxQueuedBytes = MAX_QUEUED_BYTES }: FrameStreamInit
): FrameStream {
  const frames: Uint8Array[] = []
  let queuedBytes = 0
  let partial = new Uint8Array(0)
  let ended = false
  let failure: Error | undefined
  let wake: (() => void) | undefined
  let writing: Promise<void> = Promise.resolve()

  const fail = (err: Error): void => {
    if (failure !== undefined) return
    failure = err
    stream.abort(err)
    wake?.()
  }

  const onMessage = (evt: { data: Uint8Array | { subarray(): Uint8Array } }): void => {
    if (failure !== undefined) return
    const data = evt.data instanceof Uint8Array ? evt.data : evt.data.subarray()
    let buffer = data
    if (partial.length > 0) {
      buffer = new Uint8Array(partial.length + data.length)
      buffer.set(partial)
      buffer.set(data, partial.length)
    }
    let at = 0
    while (buffer.length - at >= FRAME_HEADER_BYTES) {
      const length = new DataView(buffer.buffer, buffer.byteOffset + at, FRAME_HEADER_BYTES).getUint32(0)
      if (length > maxFrameBytes) {
        fail(
          wireError('FRAME_TOO_LARGE', `the peer announced a frame of ${length} bytes, ${maxFrameBytes} are allowed`)
        )
        return
      }
      if (buffer.length - at - FRAME_HEADER_BYTES < length) break
      frames.push(buffer.subarray(at + FRAME_HEADER_BYTES, at + FRAME_HEADER_BYTES + length))
      // An empty frame costs us something too.
      queuedBytes += FRAME_HEADER_BYTES + length
      at += FRAME_HEADER_BYTES + length
    }
    partial = buffer.slice(at)
    if (queuedBytes > maxQueuedBytes)
      fail(wireError('FLOODED', `the peer sent ${queuedBytes} bytes ahead of what was read`))
    wake?.()
  }
  const onEnd = (): void => {
    ended = true
    wake?.()
  }
  const onClose = (evt: { error?: Error | undefined }): void => {
    ended = true
    if (evt.error !== undefined)
      failure ??= wireError('STREAM_CLOSED', `the stream was closed: ${evt.error.message}`, evt.error)
    wake?.()
  }
  stream.addEventListener('message', onMessage as never)
  stream.addEventListener('remoteCloseWrite', onEnd)
  stream.addEventListener('close', onClose as never)

  async function next(signal?: AbortSignal): Promise<Uint8Array | undefined> {
    for (;;) {
      signal?.throwIfAborted()
      const frame = frames.shift()
      if (frame !== undefined) {
        queuedBytes -= FRAME_HEADER_BYTES + frame.length
        return frame
      }
      if (failure !== undefined) throw failure
      if (ended) {
        if (partial.length > 0) throw wireError('TRUNCATED', 'the peer ended the stream in the middle of a frame')
        return undefined
      }
      await new Promise<void>(resolve => {
        const done = (): void => {
          wake = undefined
          signal?.removeEventListener('abort', done)
          resolve()
        }
        wake = done
        signal?.addEventListener('abort', done, { once: true })
      })
    }
  }

  async function send(frame: Uint8Array, signal?: AbortSignal): Promise<void> {
    if (failure !== undefined) throw failure
    signal?.throwIfAborted()
    let taken: boolean
    try {
      taken = stream.send(frame)
    } catch (err) {
      throw wireError('STREAM_CLOSED', `could not write to the stream: ${toError(err).message}`, err)
    }
    if (taken) return
    const limit = deadline(DRAIN_TIMEOUT_MS, 'the peer to take what was sent', signal)
    try {
      await pEvent(stream as never, 'drain', { rejectionEvents: ['close'], signal: limit.signal })
    } catch (err) {
      limit.signal.throwIfAborted()
      throw (
        failure ??
        wireError('STREAM_CLOSED', 'the stream was closed while writing', (err as { error?: unknown }).error ?? err)
      )
    } finally {
      limit.clear()
    }
  }

  return {
    stream,
    async read({ signal, timeoutMs, peer } = {}) {
      if (timeoutMs === undefined) return next(signal)
      const limit = patientDeadline(peer, timeoutMs, 'the next message of the peer', signal)
      try {
        return await next(limit.signal)
      } finally {
        limit.clear()
      }
    },
    write(payload, { signal } = {}) {
      const parts = payload instanceof Uint8Array ? [payload] : payload
      const length = parts.reduce((n, p) => n + p.length, 0)
      if (length > maxFrameBytes) {
        return Promise.reject(
          wireError('FRAME_TOO_LARGE', `a frame of ${length} bytes was to be sent, ${maxFrameBytes} are allowed`)
        )
      }
      const frame = new Uint8Array(FRAME_HEADER_BYTES + length)
      new DataView(frame.buffer).setUint32(0, length)
      let at = FRAME_HEADER_BYTES
      for (const part of parts) {
        frame.set(part, at)
        at += part.length
      }
      const turn = writing.then(() => send(frame, signal))
      writing = turn.catch(() => {})
      return turn
    },
    async closeWrite({ signal } = {}) {
      await writing
      await stream.close(signal === undefined ? {} : { signal }).catch((err: unknown) => {
        throw wireError('STREAM_CLOSED', `could not close the stream: ${toError(err).message}`, err)
      })
    },
    abort(reason) {
      fail(toError(reason))
    }
  }
}
