import assert from 'node:assert/strict'
import { statFromStatx } from '../../../storage/files/node-stat.js'

const HALF = 2n ** 33n
const [MTIME, DEVICE, SIZE] = [112, 136, 40]

describe('a struct statx', () => {
  for (const seconds of [0n, -1n, 1_790_000_000n, HALF - 1n, HALF, -HALF, -HALF - 1n, 15_032_385_535n, -(2n ** 62n)])
    it(`a time of ${seconds} seconds is told to the nanosecond`, () => {
      const bytes = Buffer.alloc(256)
      bytes.writeBigInt64LE(seconds, MTIME)
      for (const nanoseconds of [0, 1, 999_999_999]) {
        bytes.writeUInt32LE(nanoseconds, MTIME + 8)
        assert.equal(statFromStatx(bytes).mtimeNs, seconds * 1_000_000_000n + BigInt(nanoseconds))
      }
    })

  it('what is told of one lies in that buffer, whichever was read before', () => {
    const [one, other] = [Buffer.alloc(256), Buffer.alloc(256)]
    one.writeUInt32LE(8, DEVICE)
    one.writeUInt32LE(1, DEVICE + 4)
    one.writeBigUInt64LE(3n * 2n ** 32n + 5n, SIZE)
    other.writeUInt32LE(8, DEVICE)
    other.writeUInt32LE(300, DEVICE + 4)
    other.writeBigUInt64LE(7n, SIZE)
    for (const [bytes, device, sizeBytes] of [
      [one, 0x801n, 3 * 2 ** 32 + 5],
      [other, 0x10082cn, 7],
      [one, 0x801n, 3 * 2 ** 32 + 5]
    ] as const) {
      const stat = statFromStatx(bytes)
      assert.deepEqual([stat.device, stat.sizeBytes], [device, sizeBytes])
    }
  })
})
