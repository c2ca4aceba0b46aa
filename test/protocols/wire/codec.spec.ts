import assert from 'node:assert/strict'
import fc from 'fast-check'
import { z } from 'zod'
import { bytes, decode, encode, int64, safeCount } from '../../../protocols/wire/index.js'

const anything = z.any()
const message = z.object({ id: bytes(16), size: safeCount, mtimeNs: int64, name: z.string().max(8).optional() })

describe('codec', () => {
  it('numbers stay numbers, bigints bigints, bytes bytes', () => {
    fc.assert(
      fc.property(
        fc.maxSafeInteger(),
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        fc.uint8Array(),
        (n, b, u) => {
          assert.deepEqual(decode(encode({ n, b, u }), anything, 'it'), { n, b, u })
        }
      )
    )
  })

  it('unknown fields are dropped', () => {
    const value = { id: new Uint8Array(16), size: 1, mtimeNs: 1n, future: 'x' }
    assert.deepEqual(decode(encode(value), message, 'it'), { id: new Uint8Array(16), size: 1, mtimeNs: 1n })
  })

  for (const [why, value] of [
    ['size -1', { id: new Uint8Array(16), size: -1, mtimeNs: 1n }],
    ['size 1.5', { id: new Uint8Array(16), size: 1.5, mtimeNs: 1n }],
    ['size NaN', { id: new Uint8Array(16), size: Number.NaN, mtimeNs: 1n }],
    ['size Infinity', { id: new Uint8Array(16), size: Number.POSITIVE_INFINITY, mtimeNs: 1n }],
    ['size 2^53', { id: new Uint8Array(16), size: 2 ** 53, mtimeNs: 1n }],
    ['size as text', { id: new Uint8Array(16), size: '10', mtimeNs: 1n }],
    ['size as bigint', { id: new Uint8Array(16), size: 2n ** 63n - 1n, mtimeNs: 1n }],
    ['15 bytes of id', { id: new Uint8Array(15), size: 1, mtimeNs: 1n }],
    ['17 bytes of id', { id: new Uint8Array(17), size: 1, mtimeNs: 1n }],
    ['a name too long', { id: new Uint8Array(16), size: 1, mtimeNs: 1n, name: 'ninechars' }],
    ['an array', [1, 2]],
    ['nothing', null]
  ] as const) {
    it(`refuses ${why}`, () => {
      assert.throws(() => decode(encode(value), message, 'it'), { code: 'MALFORMED' })
    })
  }

  for (const [why, raw] of [
    ['an array of 4 billion elements in five bytes', [0xdd, 0xff, 0xff, 0xff, 0xff]],
    ['a map of 4 billion keys in five bytes', [0xdf, 0xff, 0xff, 0xff, 0xff]],
    ['a string of 4 GiB in five bytes', [0xdb, 0xff, 0xff, 0xff, 0xff]],
    ['an extension', [0xd4, 0x05, 0x00]],
    ['a timestamp', [0xd6, 0xff, 0, 0, 0, 0]],
    ['a __proto__ key', [0x81, 0xa9, ...Buffer.from('__proto__'), 0x80]],
    ['trailing bytes', [0x01, 0x01]],
    ['a cut value', [0x92, 0x01]],
    ['no bytes', []],
    ['ten thousand levels', Array.from({ length: 10_000 }, () => 0x91)]
  ] as const) {
    it(`refuses ${why}`, () => {
      assert.throws(() => decode(Uint8Array.from(raw), message, 'it'), { code: 'MALFORMED' })
      assert.equal(({} as { polluted?: unknown }).polluted, undefined)
    })
  }

  it('any bytes give a value or MALFORMED, nothing else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), raw => {
        try {
          decode(raw, message, 'it')
        } catch (err) {
          assert.equal((err as { code?: string }).code, 'MALFORMED')
        }
      }),
      { numRuns: 1000 }
    )
  })
})
