/**
 * The sender's memory for frames: its worker seals into it, its event loop reads from it, and nothing is handed over or
 * made anew. With memory of its own for each frame the garbage collectors of both threads were the largest user of the
 * processor.
 */
import { CREDIT_BYTES } from '../limits.js'
import { FRAME_LENGTH_BYTES, RECORD_HEAD_BYTES } from './records.js'

/** Where a frame lies in the ring's memory. */
export interface FramePlace {
  readonly at: number
  readonly length: number
}

/** V8 copies into shared memory byte by byte, ten times slower, unless source and destination are aligned. */
const ALIGN_BYTES = 64
/** Frames from here on are aligned; for smaller ones the gaps would add up to more than they hold. */
const ALIGNED_FROM_BYTES = 64 * 1024
const PAYLOAD_AT = FRAME_LENGTH_BYTES + RECORD_HEAD_BYTES

/**
 * A place is used again when the ring comes round to it, which is never before the receiver gave credit for what lies
 * there: frames on the way are at most CREDIT_BYTES together, the gaps between them a thousandth of that, and the one
 * before the end, left by a frame that did not fit, is smaller than a frame. A receiver that gives credit for what it
 * never got gets other bytes instead, sealed for it alone.
 */
export class FrameRing {
  readonly #memory: SharedArrayBuffer
  #next = 0

  constructor(memory: SharedArrayBuffer) {
    this.#memory = memory
  }

  /** Memory for the next frame. The caller keeps within its credit. */
  take(length: number): Uint8Array {
    let at = aligned(this.#next, length)
    if (at + length > this.#memory.byteLength) at = aligned(0, length)
    this.#next = at + length
    return new Uint8Array(this.#memory, at, length)
  }
}

/** Memory for a ring; costs nothing before it is written. @param maxFrameBytes - no frame is longer */
export function ringMemory(maxFrameBytes: number): SharedArrayBuffer {
  const gaps = (CREDIT_BYTES / ALIGNED_FROM_BYTES + 1) * ALIGN_BYTES
  return new SharedArrayBuffer(CREDIT_BYTES + gaps + maxFrameBytes)
}

/** The next place for a frame whose payload is to be aligned. */
function aligned(from: number, length: number): number {
  if (length < ALIGNED_FROM_BYTES) return from
  const rest = (from + PAYLOAD_AT) % ALIGN_BYTES
  return rest === 0 ? from : from + ALIGN_BYTES - rest
}
