import assert from 'node:assert/strict'
import fc from 'fast-check'
import { createHasher, hashBytes, hashFromBytes, hashToBytes } from '../../../storage/content/index.js'

/** The first 32 bytes of the official BLAKE3 test vectors; the input is the bytes 0..250 repeated. */
const VECTORS: readonly (readonly [length: number, hash: string])[] = [
  [0, 'af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262'],
  [1, '2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213'],
  [1023, '10108970eeda3eb932baac1428c7a2163b0e924c9a9e25b35bba72b28f70bd11'],
  [1024, '42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7'],
  [1025, 'd00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444'],
  [2048, 'e776b6028c7cd22a4d0ba182a8bf62205d2ef576467e838ed6f2529b85fba24a'],
  [2049, '5f4d72f40d7a5f82b15ca2b2e44b1de3c2ef86c426c95c1af0b687952256303096'.slice(0, 64)],
  [3072, 'b98cb0ff3623be03326b373de6b9095218513e64f1ee2edd2525c7ad1e5cffd2'],
  [4096, '015094013f57a5277b59d8475c0501042c0b642e531b0a1c8f58d2163229e969'],
  [4097, '9b4052b38f1c5fc8b1f9ff7ac7b27cd242487b3d890d15c96a1c25b8aa0fb995'],
  [5121, '628bd2cb2004694adaab7bbd778a25df25c47b9d4155a55f8fbd79f2fe154cff'],
  [6145, 'f1323a8631446cc50536a9f705ee5cb619424d46887f3c376c695b70e0f0507f'],
  [7169, 'a003fc7a51754a9b3c7fae0367ab3d782dccf28855a03d435f8cfe74605e7817']
]
const input = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i % 251)

describe('hasher', () => {
  for (const [length, hash] of VECTORS) {
    it(`official vector of ${length} bytes, whole and in pieces`, () => {
      const bytes = input(length)
      assert.equal(hashBytes(bytes), hash)
      for (const step of [1, 63, 64, 1000, 1024, 4096]) {
        const hasher = createHasher()
        for (let i = 0; i < length; i += step) hasher.update(bytes.subarray(i, i + step))
        assert.equal(hasher.digest(), hash)
        assert.deepEqual(Buffer.from(hasher.digestBytes()).toString('hex'), hash)
      }
    })
  }
  it('however the bytes are cut, the hash is that of the whole', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20_000, size: 'max' }), fc.array(fc.nat(20_000)), (bytes, cuts) => {
        const hasher = createHasher()
        let from = 0
        for (const to of [...cuts.filter(c => c < bytes.length).sort((a, b) => a - b), bytes.length]) {
          hasher.update(bytes.subarray(from, to))
          from = to
        }
        assert.equal(hasher.digest(), hashBytes(bytes))
      }),
      { numRuns: 50 }
    )
  })
  it('a digest in the middle does not disturb what follows', () => {
    const hasher = createHasher().update(input(1024))
    assert.equal(hasher.digest(), hashBytes(input(1024)))
    assert.equal(hasher.update(input(2048).subarray(1024)).digest(), hashBytes(input(2048)))
  })
  it('32 raw bytes and 64 hex digits are the same hash; other lengths are refused', () => {
    const hash = hashBytes(input(9))
    assert.equal(hashFromBytes(hashToBytes(hash)), hash)
    assert.throws(() => hashFromBytes(new Uint8Array(31)), RangeError)
  })
})
