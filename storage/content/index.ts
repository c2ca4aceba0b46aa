/**
 * Content: BLAKE3 of bytes and of files. This is the one home of the BLAKE3 package.
 *
 * - `createHasher()` for a stream, `hashBytes` for bytes in memory; a hash is 64 hex digits (`ContentHash`) inside the
 *   program and 32 raw bytes (`hashToBytes`, `hashFromBytes`) on the wire and in the database.
 * - `pool.run(hashing.hashFile, { path, fromBytes?, lengthBytes? }, { signal })` hashes a file or a range in a worker;
 *   `hashing.hashFiles` many files in one message. Symlinks are not followed, FIFOs not waited for.
 * - `sampleCas` gives the hint that rules sameness out without reading all; only the hash rules it in.
 * - `BlockReader` cuts content into blocks by what is in it, for what two files have in common (docs/delta.md).
 * - A file is looked at before and after reading; one that changed meanwhile is CHANGED_WHILE_READING. The stat that comes
 *   with a hash vouches for it only where `isRacy` says no.
 */

export { blockAverage, isBlockAverage, MAX_BLOCK_AVERAGE, MAX_BLOCK_BYTES, MIN_BLOCK_AVERAGE } from './block-cutter.js'
export { BLOCK_HASH_BYTES, BlockReader, type BlockRun } from './blocks.js'
export { CAS_BYTES, sampleCas, WHOLE_BYTES } from './cas.js'
export { type HashFileInput, hashing } from './hash.worker.js'
export {
  createHasher,
  HASH_BYTES,
  type Hasher,
  hashBytes,
  hashesIn,
  hashesToBytes,
  hashFromBytes,
  hashToBytes,
  hashZeros
} from './hasher.js'
export {
  type ContentStat,
  type HashedContent,
  type HashRange,
  hashSource,
  isRacy,
  PIECE_BYTES,
  type ReadSource,
  readFully,
  sameContentStat
} from './read.js'
