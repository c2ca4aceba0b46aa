import { CREDIT_BYTES, MIN_PIECE_BYTES } from '../limits.js'
import { pieceBytes } from '../stream/window.js'

/** Content that was sent and not consumed, and how much of it there may be. */
export class OnTheWay {
  /** By what the receiver said last; never more than the credit. */
  windowBytes = CREDIT_BYTES
  #sent = 0
  #consumed = 0

  get bytes(): number {
    return this.#sent - this.#consumed
  }

  /** What one piece of a large file holds, and about what a pack does. */
  get pieceBytes(): number {
    return pieceBytes(this.windowBytes)
  }

  /** What a pack of several files holds at the most, with its table. */
  get packBytes(): number {
    return Math.max(this.windowBytes, MIN_PIECE_BYTES)
  }

  /** One frame may always be on its way, however large it is: what is larger than the window would never go. */
  hasRoom(frameBytes: number): boolean {
    return this.bytes === 0 || this.bytes + frameBytes <= this.windowBytes
  }

  sent(frameBytes: number): void {
    this.#sent += frameBytes
  }

  /** @param bytes - of all frames since the stream began */
  consumed(bytes: number): void {
    this.#consumed = bytes
  }
}
