import assert from 'node:assert/strict'
import { noise } from '@chainsafe/libp2p-noise'
import fc from 'fast-check'
import { inPlace, type NoiseCipher, sealedInPlace } from '../../../node/network/noise-cipher.js'

const key = fc.uint8Array({ minLength: 32, maxLength: 32 })
const nonce = fc.uint8Array({ minLength: 12, maxLength: 12 })
/** Pieces as they come from a muxer: a small head, then content. */
const content = fc
  .array(fc.integer({ min: 1, max: 40_000 }), { minLength: 1, maxLength: 4 })
  .map(sizes => sizes.map((size, i) => Buffer.alloc(size, i + size)))

/** As much of libp2p's lists of memory as a cipher looks at. */
const listOf = (pieces: Uint8Array[]) =>
  Object.assign([...pieces], {
    byteLength: pieces.reduce((n, p) => n + p.length, 0),
    subarray: () => Buffer.concat(pieces)
  })
const whole = (bytes: ReturnType<NoiseCipher['encrypt']>): Buffer =>
  bytes instanceof Uint8Array ? Buffer.from(bytes) : Buffer.concat([...bytes])
const NOTHING = new Uint8Array(0)

describe("Noise's packets in place", () => {
  const logger = { forComponent: () => () => {} }
  const encrypter = noise()({ logger } as never) as unknown as { crypto: NoiseCipher }
  const theirs = encrypter.crypto
  const ours = inPlace(theirs)

  it('are the bytes of the library, and each opens what the other sealed', () => {
    fc.assert(
      fc.property(key, nonce, content, fc.nat(), (k, n, pieces, cut) => {
        const plain = Buffer.concat(pieces)
        const sealed = whole(ours.encrypt(listOf(pieces), n, NOTHING, k))
        assert.deepEqual(sealed, whole(theirs.encrypt(listOf(pieces), n, NOTHING, k)))
        assert.deepEqual(whole(ours.encrypt(plain, n, NOTHING, k)), sealed)
        // In one piece it is opened where it lies, in several (the tag cut, too) into a copy.
        const at = 1 + (cut % (sealed.length - 1))
        const parts = listOf([sealed.subarray(0, at), sealed.subarray(at)])
        assert.deepEqual(whole(ours.decrypt(parts, n, NOTHING, k, new Uint8Array(plain.length))), plain)
        assert.deepEqual(whole(theirs.decrypt(Buffer.from(sealed), n, NOTHING, k, new Uint8Array(plain.length))), plain)
        assert.deepEqual(whole(ours.decrypt(sealed, n, NOTHING, k, sealed.subarray(0, plain.length))), plain)
      }),
      { numRuns: 50 }
    )
  })

  it('that were changed are opened by neither', () => {
    const [k, n] = [new Uint8Array(32), new Uint8Array(12)]
    for (const size of [100, 5_000]) {
      const sealed = whole(ours.encrypt(Buffer.alloc(size, 1), n, NOTHING, k))
      sealed[size >> 1]! ^= 1
      assert.throws(() => ours.decrypt(sealed, n, NOTHING, k, new Uint8Array(size)))
      assert.throws(() => theirs.decrypt(sealed, n, NOTHING, k, new Uint8Array(size)))
    }
  })

  it('are done so by the library as it is installed, and one of another make is left alone', () => {
    assert.notEqual(sealedInPlace(encrypter).crypto.encrypt, theirs.encrypt)
    assert.notEqual(encrypter.crypto.decrypt, theirs.decrypt)
    const other = { protocol: '/other' }
    assert.deepEqual(sealedInPlace(other), { protocol: '/other' })
  })
})
