import type { DeviceId } from '../../storage/base/index.js'
import { Lane, type Pacing } from '../pace/index.js'
import { pieceBytes, windowUnder } from '../transfer/index.js'

/** The limits of the rate that hold for the content of one stream, both ways. */
export class Lanes {
  readonly up: Lane
  readonly down: Lane

  /** @param signal - the stream is over */
  constructor(pacing: Pacing, device: DeviceId, signal: AbortSignal) {
    this.up = new Lane(pacing, device, 'up', signal)
    this.down = new Lane(pacing, device, 'down', signal)
  }

  /** How much content this end lets be on its way to it. */
  get windowBytes(): number {
    return windowUnder(this.down.messageBytes)
  }

  /** What one message from here should carry. @param theirWindowBytes - what the other end lets be on its way */
  upBytes(theirWindowBytes: number): number {
    const piece = pieceBytes(theirWindowBytes)
    return Math.min(this.up.messageBytes ?? piece, piece)
  }

  /** What should be asked for at once: several answers are on their way. */
  get downBytes(): number {
    return pieceBytes(this.windowBytes)
  }
}
