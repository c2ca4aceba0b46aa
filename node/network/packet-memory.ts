import { type KeepsMemory, letsGoAtRest } from '../../storage/base/index.js'

/**
 * Memory in which packets are sealed for a socket, used again once it has written them. With memory of its own for each, a
 * sender of content made 64 KiB outside of V8's heap for every packet, and for every 64 MiB of that V8 marked its whole heap: the
 * largest user of the processor after the ciphers.
 */
export interface PacketMemory extends KeepsMemory {
  /** For some packets that are written at once. */
  take(length: number): Buffer
  /** The socket has written these bytes, and will never look at them again. */
  wrote(bytes: Uint8Array): void
}

/** Holds four of Noise's longest packets: a frame of content is a few pieces of memory to the socket, and no place is kept long by a part of it. */
export const PLACE_BYTES = 4 * (2 + 65_535)
/** What is smaller gets memory of its own: as many as a socket holds would else take a whole place each. */
export const PLACED_FROM_BYTES = 64 * 1024
/** What one large file has on its way to another device (8 MiB): a turn of the loop may seal all of it. */
const MAX_FREE = 40

export function packetMemory(): PacketMemory {
  let free: ArrayBuffer[] = []
  /** Bytes that are still to be written. A connection that ended with some of them leaves its places to the collector. */
  const unwritten = new WeakMap<ArrayBufferLike, number>()
  return letsGoAtRest({
    take(length) {
      if (length < PLACED_FROM_BYTES || length > PLACE_BYTES) return Buffer.allocUnsafeSlow(length)
      const place = free.pop() ?? new ArrayBuffer(PLACE_BYTES)
      unwritten.set(place, length)
      return Buffer.from(place, 0, length)
    },
    wrote({ buffer, length }) {
      const left = unwritten.get(buffer)
      if (left === undefined) return
      if (left > length) unwritten.set(buffer, left - length)
      else {
        unwritten.delete(buffer)
        if (free.length < MAX_FREE) free.push(buffer as ArrayBuffer)
      }
    },
    letGo() {
      free = []
    }
  })
}
