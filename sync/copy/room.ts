import type { Copier } from '../../storage/files/index.js'
import { noSpace } from './take-problems.js'

/** Others write as well: after so much the disk is asked again. */
const ASK_AGAIN_BYTES = 256 * 1024 * 1024

/** What may still be written at the destination. */
export class Room {
  readonly #copier: Copier
  #bytes = 0

  constructor(copier: Copier) {
    this.#copier = copier
  }

  /** @throws {SpacedriveError} NO_SPACE with the figures */
  take(bytes: number): void {
    if (this.#bytes < bytes) {
      const room = this.#copier.room()
      if (room < bytes) throw noSpace(bytes, room)
      // A file larger than that has taken it all: the next one asks again.
      this.#bytes = Math.min(room, ASK_AGAIN_BYTES)
    }
    this.#bytes -= bytes
  }
}
