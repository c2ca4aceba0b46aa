import assert from 'node:assert/strict'
import fc from 'fast-check'
import { gearScan, SCAN_BYTES } from '../../../storage/content/gear.js'
import { hashBytes } from '../../../storage/content/index.js'

const GEAR = Int32Array.from({ length: 256 }, (_, n) =>
  Buffer.from(hashBytes(Buffer.from(`spacedrive gear ${n}`)), 'hex').readInt32LE()
)

/** What a scan says, one byte after the other. */
function plainly(content: Uint8Array, sum: number, mask: number): { end: number; sum: number } {
  for (const [i, byte] of content.entries()) {
    sum = (2 * sum + GEAR[byte]!) | 0
    if ((sum & mask) === 0) return { end: i + 1, sum }
  }
  return { end: -1, sum }
}

const bytes = fc.uint8Array({ maxLength: 40 })
const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
/** High bits, from a few, so that ends are met, to all. */
const mask = fc.integer({ min: 0, max: 31 }).map(low => -1 << low)

describe('a scan for the ends of blocks', () => {
  it('finds what a loop over the bytes finds, of any length and from any sum', () => {
    fc.assert(
      fc.property(fc.nat(9), bytes, int32, mask, (from, content, sum, mask) => {
        const gear = gearScan()
        gear.hold(Uint8Array.from([...Array(from).fill(7), ...content]))
        const found = gear.find(from, from + content.length, sum, mask)
        const wanted = plainly(content, sum, mask)
        assert.equal(found, wanted.end < 0 ? -1 : from + wanted.end)
        if (found < 0) assert.equal(gear.lastSum, wanted.sum)
      }),
      { numRuns: 2000 }
    )
  })

  it('a sum that comes to 0 on the way goes on', () => {
    const even = GEAR.findIndex(value => value % 2 === 0)
    const before = -GEAR[even]! / 2
    const gear = gearScan()
    for (const rest of [[], [1], [1, 2, 3, 4, 5, 6]]) {
      const content = Uint8Array.from([even, ...rest])
      gear.hold(content)
      assert.equal(plainly(content, before, -1).end, 1)
      assert.equal(
        gear.sum(0, content.length, before),
        rest.reduce((sum, byte) => (2 * sum + GEAR[byte]!) | 0, 0)
      )
    }
  })

  it('reaches to the end of what it can hold, and refuses more', () => {
    const gear = gearScan()
    const content = new Uint8Array(SCAN_BYTES).fill(3)
    gear.hold(content)
    assert.equal(gear.find(0, SCAN_BYTES, 0, -1), plainly(content, 0, -1).end)
    assert.throws(() => gear.hold(new Uint8Array(SCAN_BYTES + 1)), RangeError)
  })
})
