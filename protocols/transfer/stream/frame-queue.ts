/**
 * The outgoing half of a stream of frames. What goes to the stream goes in slices: of what the link takes in about a second, since
 * libp2p sends a longer one as one message of which the other side sees nothing before it is whole; and of content under a limit no
 * more than may go at once, so that a frame of 4 MiB does not fill a slow link for minutes and leave it empty after that.
 */
import type { Stream } from '@libp2p/interface'
import { pEvent } from 'p-event'
import { deadline } from '../../../storage/base/index.js'
import type { LinkRate } from './link-rate.js'

/** Holds content to the limits of its rate: a `Lane`. */
export interface FramePace {
  /** Of what may go at once; undefined: there is no limit. */
  readonly sliceBytes: number | undefined
  /** Resolves when so many bytes may go. */
  take(bytes: number): Promise<void>
}

export interface QueuedFrame {
  readonly bytes: Uint8Array
  /** It keeps to the limits of the rate. */
  readonly content?: boolean | undefined
  /** All of it is with the stream; called before the other side can know. */
  gone?(): void
}

export interface FrameQueueInit {
  /** How long the other side may take nothing of what was sent. */
  readonly drainTimeoutMs: number
  readonly rate?: LinkRate | undefined
  readonly pace?: FramePace | undefined
  isEnded(): boolean
  /** The stream does not take them. */
  onFailed(err: unknown): void
}

/** A link that is as slow as the least limit takes it within the 30 s that other devices wait for a sign of life. */
const FIRST_SLICE_BYTES = 128 * 1024
const MIN_SLICE_BYTES = 8 * 1024
/** No frame is longer. */
const MAX_SLICE_BYTES = 8 * 1024 * 1024
/** What was taken within the first could have been longer, what took more than the second should have been shorter. */
const QUICK_MS = 250
const LONG_MS = 1_000
/** What a system takes at once says nothing of the link behind it: a few hundred KiB before any of it has left. */
const PROVEN_BYTES = 2 * 1024 * 1024

export class FrameQueue {
  readonly #stream: Stream
  readonly #init: FrameQueueInit
  readonly #queue: QueuedFrame[] = []
  /** Wait until no content is queued. */
  readonly #waiting: (() => void)[] = []
  #contents = 0
  #sliceBytes = FIRST_SLICE_BYTES
  /** Taken quickly, one after the other. */
  #quickBytes = 0
  #pumping = false
  #sending = Promise.resolve()
  bytesOut = 0

  constructor(stream: Stream, init: FrameQueueInit) {
    this.#stream = stream
    this.#init = init
  }

  add(frame: QueuedFrame): void {
    this.#queue.push(frame)
    if (frame.content) this.#contents++
    if (!this.#pumping) this.#sending = this.#pump()
  }

  /**
   * Calls back when content may be queued, in the order of asking: under a limit once what was queued before has gone, so that what
   * is no content waits for one frame at most. Also once the stream has ended.
   */
  whenClear(go: () => void): void {
    this.#waiting.push(go)
    this.#next()
  }

  /** Resolves when everything was sent. */
  get sent(): Promise<void> {
    return this.#sending
  }

  /** Nothing goes out any more. */
  end(): void {
    this.#queue.length = 0
    for (const go of this.#waiting.splice(0)) go()
  }

  #next(): void {
    while (this.#waiting.length > 0 && (this.#contents === 0 || this.#init.pace?.sliceBytes === undefined))
      this.#waiting.shift()!()
  }

  async #pump(): Promise<void> {
    const { rate, onFailed } = this.#init
    this.#pumping = true
    try {
      rate?.begin()
      for (let frame = this.#queue.shift(); frame !== undefined; frame = this.#queue.shift()) {
        await this.#put(frame)
        if (frame.content) {
          this.#contents--
          this.#next()
        }
      }
      rate?.idle()
    } catch (err) {
      // Not within `send`: who has just opened the stream, on a link that has just gone, may not be ready to hear of its end.
      await undefined
      onFailed(err)
    } finally {
      this.#pumping = false
    }
  }

  async #put({ bytes, content, gone }: QueuedFrame): Promise<void> {
    const { rate, pace, isEnded } = this.#init
    for (let at = 0; at < bytes.length; ) {
      const may = content ? pace?.sliceBytes : undefined
      const n = Math.min(bytes.length - at, this.#sliceBytes, may ?? bytes.length)
      if (may !== undefined) {
        rate?.idle() // a limit is not taken for a slow link
        await pace!.take(n)
        if (isEnded()) return
        rate?.begin()
      }
      const slice = n === bytes.length ? bytes : bytes.subarray(at, at + n)
      at += n
      this.bytesOut += n
      if (at === bytes.length) gone?.()
      const fromMs = performance.now()
      if (!this.#stream.send(slice)) await this.#untilDrained()
      this.#took(n, performance.now() - fromMs)
      rate?.took(n)
    }
  }

  #took(bytes: number, ms: number): void {
    this.#quickBytes = ms < QUICK_MS ? this.#quickBytes + bytes : 0
    if (this.#quickBytes >= PROVEN_BYTES) {
      this.#quickBytes = 0
      this.#sliceBytes = Math.min(2 * this.#sliceBytes, MAX_SLICE_BYTES)
    } else if (ms > LONG_MS) this.#sliceBytes = Math.max(this.#sliceBytes / 2, MIN_SLICE_BYTES)
  }

  async #untilDrained(): Promise<void> {
    const limit = deadline(this.#init.drainTimeoutMs, 'the peer to take what was sent')
    try {
      await pEvent(this.#stream as never, 'drain', { rejectionEvents: ['close'], signal: limit.signal })
    } catch (err) {
      limit.signal.throwIfAborted()
      throw (err as { error?: unknown }).error ?? err
    } finally {
      limit.clear()
    }
  }
}
