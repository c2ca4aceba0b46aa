/**
 * Memory for frames that is used again. The receiver of a transfer: its event loop collects a frame in a buffer and hands that
 * to the worker, which hands it back when it has consumed it. (Not shared memory: what comes from the network lies at any
 * address, and copying that into shared memory is ten times slower.) A replica: docs/protocols/replica.md.
 */
import { PACK_FRAME_BYTES } from '../limits.js'

/** Smaller frames get memory of their own: as many as the credit allows would else take this much each. */
const POOLED_FROM_BYTES = PACK_FRAME_BYTES / 2
/** What one credit lets in at once; a longer list would only keep memory. */
const MAX_FREE = 8

export class FrameBuffers {
  #free: ArrayBuffer[] = []
  /** Since the last rest. */
  #used = false

  /** Memory for one frame: all of an ArrayBuffer, or its beginning. */
  take(length: number): Uint8Array<ArrayBuffer> {
    if (length < POOLED_FROM_BYTES || length > PACK_FRAME_BYTES) return new Uint8Array(new ArrayBuffer(length))
    this.#used = true
    return new Uint8Array(this.#free.pop() ?? new ArrayBuffer(PACK_FRAME_BYTES), 0, length)
  }

  give(buffer: ArrayBuffer): void {
    if (this.#free.length < MAX_FREE) this.#free.push(buffer)
  }

  /**
   * Nothing is under way: lets go of what is kept, unless some of it was used since it last rested. Between two messages of a large file
   * nothing is under way again and again, and whatever ends one (its name, a goodbye) uses none.
   */
  rest(): void {
    if (!this.#used) this.#free = []
    this.#used = false
  }
}

/** The memory of a frame that was consumed, if it can be used again: a list for handing it over. */
export function reusable(frame: Uint8Array): ArrayBuffer[] {
  return frame.buffer.byteLength === PACK_FRAME_BYTES ? [frame.buffer as ArrayBuffer] : []
}
