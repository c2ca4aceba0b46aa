import assert from 'node:assert/strict'
import { LinkRate } from '../../../protocols/transfer/index.js'

const MIB = 2 ** 20

describe('the rate of a link', () => {
  let ms = 0
  let rate: LinkRate
  beforeEach(() => {
    ms = 0
    rate = new LinkRate(() => ms)
  })
  const carry = (bytesPerSecond: number, forMs: number): void => {
    for (const end = ms + forMs; ms < end; ) {
      ms += 50
      rate.took(bytesPerSecond / 20)
    }
  }

  it('is unknown at first, and until it was measured for long enough', () => {
    rate.begin()
    carry(MIB, 200)
    assert.equal(rate.bytesPerSecond, Number.MAX_VALUE)
    carry(MIB, 50)
    assert.equal(rate.bytesPerSecond, MIB)
  })

  it('follows the link', () => {
    rate.begin()
    carry(MIB, 1000)
    carry(50 * MIB, 250)
    assert.equal(rate.bytesPerSecond, 50 * MIB)
  })

  it('is not that of who had nothing to send', () => {
    for (let i = 0; i < 100; i++) {
      rate.begin()
      carry(1000, 200)
      rate.idle()
      ms += 1000
    }
    rate.took(MIB) // nothing was begun
    assert.equal(rate.bytesPerSecond, Number.MAX_VALUE)
  })

  it('grows old, at the edge', () => {
    rate.begin()
    carry(MIB, 250)
    rate.idle()
    ms += 2000
    assert.equal(rate.bytesPerSecond, MIB)
    ms += 1
    assert.equal(rate.bytesPerSecond, Number.MAX_VALUE)
  })
})
