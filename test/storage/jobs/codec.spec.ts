import assert from 'node:assert/strict'
import fc from 'fast-check'
import { textFromBytes } from '../../../storage/base/index.js'
import { decodeValue, encodeValue } from '../../../storage/jobs/codec.js'

/** Any bytes as a name: what is not UTF-8 stands as lone surrogates. */
const name = fc.uint8Array({ maxLength: 20 }).map(bytes => textFromBytes(bytes))
const { value } = fc.letrec(tie => ({
  leaf: fc.oneof(
    name,
    fc.integer(),
    fc.double({ noNaN: true }),
    fc.boolean(),
    fc.constant(null),
    fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n)
  ),
  value: fc.oneof(
    { maxDepth: 4 },
    tie('leaf'),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(
      fc.string({ unit: 'grapheme' }).filter(k => k !== '__proto__'),
      tie('value'),
      { maxKeys: 4, noNullPrototype: true }
    )
  )
}))

describe('job state codec', () => {
  it('gives back what it was given, names that are not UTF-8 too', () => {
    fc.assert(
      fc.property(value, v => {
        const before = structuredClone(v)
        assert.deepEqual(normal(decodeValue(encodeValue(v, 'state'), 'state')), normal(v))
        assert.deepEqual(v, before, 'the value itself is left alone')
      })
    )
  })
  it('bytes stay bytes', () => {
    const { b } = decodeValue(encodeValue({ b: new Uint8Array([1, 255]) }, 'state'), 'state') as { b: Uint8Array }
    assert.deepEqual([...b], [1, 255])
  })
  for (const [what, bad] of [
    ['a function', () => 1],
    ['a Map', new Map()],
    ['a date', new Date()],
    ['a loop', loop()],
    ['a key __proto__', JSON.parse('{"__proto__": 1}')],
    ['a bigint of 65 bits', { n: 2n ** 64n }]
  ] as const) {
    it(`${what} is refused`, () => {
      assert.throws(() => encodeValue(bad, 'state'), { code: 'JOB_STATE_INVALID' })
    })
  }
  it('damaged bytes are told as such', () => {
    assert.throws(() => decodeValue(new Uint8Array([0x92, 1]), 'state'), { code: 'JOB_STATE_INVALID' })
  })
})

function loop(): unknown {
  const a: { a?: unknown } = {}
  a.a = a
  return a
}

/** Small bigints and whole doubles have one form each in MessagePack: compared as what they are. */
function normal(v: unknown): unknown {
  if (typeof v === 'number' && Object.is(v, -0)) return 0
  if (Array.isArray(v)) return v.map(normal)
  if (v !== null && typeof v === 'object')
    return Object.entries(v)
      .map(([k, x]) => [k, normal(x)])
      .sort((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1))
  return v
}
