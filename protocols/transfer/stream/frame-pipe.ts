/**
 * Frames of a transfer stream, both ways. Unlike `frameStream` of protocols/wire it hands each frame on the moment it is
 * whole (the receiver's credits bound what may arrive) and copies it once, to where the reader wants it. No pause, no
 * resume: they lose data (reference: libp2p-facts.md).
 */
import type { Stream } from '@libp2p/interface'
import { toError } from '../../../storage/base/index.js'
import { wireError } from '../../wire/index.js'
import { type FramePace, FrameQueue, type QueuedFrame } from './frame-queue.js'
import type { LinkRate } from './link-rate.js'
import { FRAME_LENGTH_BYTES } from './records.js'

export interface FramePipeInit {
  /** Read before the first frame and given to `onPreamble`. */
  readonly preambleBytes?: number
  readonly maxFrameBytes: number
  /** How long the other side may take nothing of what was sent. */
  readonly drainTimeoutMs: number
  /** Is told how fast the other side takes what is sent. */
  readonly rate?: LinkRate | undefined
  /** Limits of the rate, for content. */
  readonly pace?: FramePace | undefined
  onPreamble?(bytes: Uint8Array): void
  /**
   * A frame begins: memory for it, `length` bytes. Without, it gets an ArrayBuffer of its own. What it throws ends the stream.
   * @param type - its first byte
   */
  allocate?(type: number, length: number): Uint8Array
  /** A frame without its length, in the memory that it was given. What it throws ends the stream. */
  onFrame(frame: Uint8Array): void
  /** Once, when nothing more will come; without an error the peer ended its side between two frames. */
  onEnd(error?: Error): void
}

export interface FramePipe {
  /** Queues bytes; they are sent in order. Of a stream that does not take them `onEnd` tells later. */
  send(bytes: Uint8Array, how?: Omit<QueuedFrame, 'bytes'>): void
  /** See `FrameQueue.whenClear`. */
  whenClear(go: () => void): void
  /** Ends our side once everything queued was sent; the other side goes on. */
  close(): Promise<void>
  /** Ends both sides at once; `onEnd` is called with the reason unless the end came before. */
  abort(reason: Error): void
  /** Resolves when nothing more will come. */
  readonly ended: Promise<void>
  readonly bytesIn: number
  readonly bytesOut: number
  /** Of a frame that is arriving: its type, and what is still missing. */
  readonly arriving: { readonly type: number; readonly missingBytes: number } | undefined
}

export function framePipe(stream: Stream, init: FramePipeInit): FramePipe {
  const { maxFrameBytes, preambleBytes = 0 } = init
  let ended = false
  let wakeEnded = (): void => {}
  const untilEnded = new Promise<void>(resolve => {
    wakeEnded = resolve
  })
  let bytesIn = 0

  // What is being read, `have` bytes of it into `into`. A frame's first byte says what it is, and so where it goes.
  const length = new Uint8Array(FRAME_LENGTH_BYTES)
  const type = new Uint8Array(1)
  let part: 'preamble' | 'length' | 'type' | 'frame' = preambleBytes > 0 ? 'preamble' : 'length'
  let into: Uint8Array = preambleBytes > 0 ? new Uint8Array(preambleBytes) : length
  let have = 0
  let frameBytes = 0

  const end = (error?: Error): void => {
    if (ended) return
    ended = true
    stream.removeEventListener('message', onMessage as never)
    stream.removeEventListener('remoteCloseWrite', onRemoteEnd)
    stream.removeEventListener('close', onClose as never)
    if (error !== undefined) stream.abort(error)
    wakeEnded()
    init.onEnd(error)
    queue.end() // after that: who waits to send something learns why it cannot be
  }

  const queue = new FrameQueue(stream, {
    ...{ drainTimeoutMs: init.drainTimeoutMs, rate: init.rate, pace: init.pace, isEnded: () => ended },
    onFailed(err) {
      const error = toError(err)
      end('code' in error ? error : wireError('STREAM_CLOSED', `could not write to the stream: ${error.message}`, err))
    }
  })

  const expect = (next: typeof part, memory: Uint8Array): void => {
    part = next
    into = memory
    have = 0
  }

  const whole = (): void => {
    const bytes = into
    if (part === 'length') {
      frameBytes = new DataView(length.buffer).getUint32(0)
      if (frameBytes === 0 || frameBytes > maxFrameBytes)
        throw wireError(
          'FRAME_TOO_LARGE',
          `the peer announced a frame of ${frameBytes} bytes, ${maxFrameBytes} are allowed`
        )
      expect('type', type)
    } else if (part === 'type') {
      // Memory that is only claimed costs nothing yet, and no claim is larger than maxFrameBytes.
      expect('frame', init.allocate?.(type[0]!, frameBytes) ?? new Uint8Array(frameBytes))
      into[0] = type[0]!
      have = 1
      if (frameBytes === 1) whole()
    } else {
      const was = part
      expect('length', length)
      if (was === 'preamble') init.onPreamble?.(bytes)
      else init.onFrame(bytes)
    }
  }

  const take = (data: Uint8Array): void => {
    bytesIn += data.length
    for (let at = 0; at < data.length && !ended; ) {
      const n = Math.min(into.length - have, data.length - at)
      into.set(n === data.length ? data : data.subarray(at, at + n), have)
      at += n
      have += n
      if (have === into.length) whole()
    }
  }

  const onMessage = (evt: { data: Uint8Array | Iterable<Uint8Array> }): void => {
    try {
      if (evt.data instanceof Uint8Array) take(evt.data)
      else for (const data of evt.data) take(data)
    } catch (err) {
      end(toError(err))
    }
  }
  const onRemoteEnd = (): void => {
    const cut = have > 0 || part !== 'length'
    end(cut ? wireError('TRUNCATED', 'the peer ended the stream in the middle of a frame') : undefined)
  }
  const onClose = (evt: { error?: Error | undefined }): void => {
    end(wireError('STREAM_CLOSED', `the stream was closed: ${evt.error?.message ?? 'by the peer'}`, evt.error))
  }
  stream.addEventListener('message', onMessage as never)
  stream.addEventListener('remoteCloseWrite', onRemoteEnd)
  stream.addEventListener('close', onClose as never)

  return {
    send(bytes, how) {
      if (!ended) queue.add({ bytes, ...how })
    },
    whenClear(go) {
      if (ended) go()
      else queue.whenClear(go)
    },
    async close() {
      await queue.sent
      await stream.close().catch(() => {}) // it was closed by the other side, or reset: nothing is left to flush
    },
    abort(reason) {
      end(reason)
      stream.abort(reason) // also where only the other side had ended
    },
    ended: untilEnded,
    get bytesIn() {
      return bytesIn
    },
    get bytesOut() {
      return queue.bytesOut
    },
    get arriving() {
      return part === 'frame' ? { type: type[0]!, missingBytes: into.length - have } : undefined
    }
  }
}
