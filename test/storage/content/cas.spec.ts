import assert from 'node:assert/strict'
import { CAS_BYTES, hashBytes, sampleCas } from '../../../storage/content/index.js'

describe('sampleCas', () => {
  const cas = (content: Uint8Array): string =>
    Buffer.from(
      sampleCas(content.length, hashBytes(content), (into, position) => {
        const part = content.subarray(position, position + into.length)
        into.set(part)
        return part.length
      })
    ).toString('hex')

  const big = Buffer.alloc(1_000_000, 'spacedrive')
  it('is short, and the same for the same content', () => {
    assert.equal(cas(big).length, 2 * CAS_BYTES)
    assert.equal(cas(big), cas(Buffer.from(big)))
  })
  it('differs by length, head and tail', () => {
    for (const at of [0, big.length - 1]) {
      const other = Buffer.from(big)
      other[at]! ^= 1
      assert.notEqual(cas(other), cas(big))
    }
    assert.notEqual(cas(big.subarray(1)), cas(big))
  })
  it('proves nothing: what lies between the samples may differ', () => {
    const other = Buffer.from(big)
    other[100_000]! ^= 1
    assert.equal(cas(other), cas(big))
    assert.notEqual(hashBytes(other), hashBytes(big))
  })
  for (const size of [0, 1, 100 * 1024, 100 * 1024 + 1])
    it(`${size} bytes: ${size <= 100 * 1024 ? 'all of it counts' : 'sampled'}`, () => {
      const content = Buffer.alloc(size, 7)
      assert.equal(cas(content) === hashBytes(content).slice(0, 2 * CAS_BYTES), size <= 100 * 1024)
    })
})
