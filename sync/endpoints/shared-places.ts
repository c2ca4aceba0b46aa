/**
 * Memory for content on its way that several threads see (SharedArrayBuffer): read or opened into, sealed or written from where it
 * lies, and used again. V8 counts none of it, so it is neither the reason why a heap is marked nor collected for its size: whoever
 * takes a place gives it back, and what is kept for the next one is bounded. In one thread, which lends places to the others.
 */
import { letsGoAtRest } from '../../storage/base/index.js'
import { READ_PIECE_BYTES } from './limits.js'

/** A piece of `read`, or a message of another device that brings one, or a pack of small files and what is said of them. */
export const PLACE_BYTES = READ_PIECE_BYTES + 256 * 1024
/** What one large file has on its way. */
const MAX_FREE = 12

const kept = letsGoAtRest({
  free: [] as SharedArrayBuffer[],
  letGo() {
    this.free = []
  }
})
const taken = new WeakSet<ArrayBufferLike>()

export function takePlace(): SharedArrayBuffer {
  const place = kept.free.pop() ?? new SharedArrayBuffer(PLACE_BYTES)
  taken.add(place)
  return place
}

/** Nobody looks at it any more. Memory that is no place, or was given back before, is left alone. */
export function givePlace(memory: ArrayBufferLike): void {
  if (taken.delete(memory) && kept.free.length < MAX_FREE) kept.free.push(memory as SharedArrayBuffer)
}

/** For who may be told twice that nobody looks at it: in between it may be another's. */
export function givenOnce(memory: ArrayBufferLike): () => void {
  let given = false
  return () => {
    if (!given) givePlace(memory)
    given = true
  }
}

/** Bytes in an ArrayBuffer of their own; a place that they lay in is given back. */
export function ownMemory(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  if (bytes.buffer instanceof ArrayBuffer) return bytes as Uint8Array<ArrayBuffer>
  const own = new Uint8Array(bytes)
  givePlace(bytes.buffer)
  return own
}
