import type { ContentHash } from '../base/index.js'
import { createHasher, hashToBytes } from './hasher.js'

/** Up to this size all of it is sampled: the id is the beginning of the hash. */
export const WHOLE_BYTES = 100 * 1024
const EDGE_BYTES = 8 * 1024
const SAMPLE_BYTES = 10 * 1024
const SAMPLES = 4
/** Bytes of a cas id kept. It rules out, so a rare collision costs a hash and nothing else. */
export const CAS_BYTES = 8

/**
 * The sampled id of a content of which the hash is known as well: from its length, head, tail and four stretches at fixed
 * offsets. Two contents with different ids differ; the same id proves nothing.
 * @param hash - null for a content above WHOLE_BYTES: it is not looked at then
 * @param read - fills a buffer from a position and says how many bytes there were
 */
export function sampleCas(
  sizeBytes: number,
  hash: ContentHash | null,
  read: (into: Uint8Array, position: number) => number
): Uint8Array {
  if (sizeBytes <= WHOLE_BYTES) {
    if (hash === null) throw new RangeError(`a content of ${sizeBytes} bytes is sampled by its hash`)
    return hashToBytes(hash).subarray(0, CAS_BYTES)
  }
  const hasher = createHasher()
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(sizeBytes))
  hasher.update(length)
  const take = (position: number, bytes: number): void => {
    const into = new Uint8Array(bytes)
    hasher.update(into.subarray(0, read(into, position)))
  }
  take(0, EDGE_BYTES)
  const step = Math.floor((sizeBytes - 2 * EDGE_BYTES) / SAMPLES)
  for (let i = 0; i < SAMPLES; i++) take(EDGE_BYTES + i * step, SAMPLE_BYTES)
  take(sizeBytes - EDGE_BYTES, EDGE_BYTES)
  return hasher.digestBytes().subarray(0, CAS_BYTES)
}
