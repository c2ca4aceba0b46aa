import assert from 'node:assert/strict'
import fc from 'fast-check'
import { BLOCK_HASH_BYTES, hashBytes, hashToBytes } from '../../../storage/content/index.js'
import { type BlockList, partsFrom, planDelta } from '../../../sync/delta/index.js'

/** A file of few different blocks, so that they come more than once: each letter is a block of that length. */
function fileOf(letters: readonly number[]): { bytes: Buffer; list: BlockList } {
  const blocks = letters.map(n => Buffer.alloc(n + 1, 97 + n))
  const hashes = new Uint8Array(BLOCK_HASH_BYTES * blocks.length)
  for (const [i, block] of blocks.entries())
    hashes.set(hashToBytes(hashBytes(block)).subarray(0, BLOCK_HASH_BYTES), i * BLOCK_HASH_BYTES)
  return { bytes: Buffer.concat(blocks), list: { lengths: Uint32Array.from(blocks, b => b.length), hashes } }
}

const letters = fc.array(fc.nat(5), { maxLength: 40 })

describe('delta plan', () => {
  it('puts the file together, byte by byte, from any position on; what the basis has does not travel', () => {
    fc.assert(
      fc.property(letters, letters, fc.nat(150), (a, b, position) => {
        const [wanted, basis] = [fileOf(a), fileOf(b)]
        const plan = planDelta(wanted.list, basis.list)
        const from = Math.min(position, wanted.bytes.length)
        let at = from
        for (const { fromBytes, lengthBytes, basisBytes } of partsFrom(plan, from)) {
          assert.equal(fromBytes, at)
          assert.ok(lengthBytes > 0)
          const there = wanted.bytes.subarray(at, at + lengthBytes)
          if (basisBytes !== undefined)
            assert.deepEqual(basis.bytes.subarray(basisBytes, basisBytes + lengthBytes), there)
          at += lengthBytes
        }
        assert.equal(at, wanted.bytes.length)
        const moved = plan.reduce((sum, p) => sum + (p.basisBytes === undefined ? p.lengthBytes : 0), 0)
        const missing = a.filter(n => !b.includes(n)).reduce((sum, n) => sum + n + 1, 0)
        assert.equal(moved, missing)
      })
    )
  })

  it('has as few parts as there can be: neighbours that go on are one', () => {
    fc.assert(
      fc.property(letters, letters, (a, b) => {
        const plan = planDelta(fileOf(a).list, fileOf(b).list)
        for (const [i, part] of plan.entries()) {
          const last = plan[i - 1]
          if (last === undefined) continue
          assert.ok(last.basisBytes !== undefined || part.basisBytes !== undefined)
          if (last.basisBytes !== undefined) assert.notEqual(part.basisBytes, last.basisBytes + last.lengthBytes)
        }
      })
    )
  })

  for (const [name, wanted, basis, parts] of [
    ['the same file is one part', [1, 2, 3], [1, 2, 3], [[0, 9, 0]]],
    ['of a content that comes twice, the one that goes on', [3, 1, 2], [1, 0, 3, 1, 2], [[0, 9, 3]]],
    ['nothing in common travels as one', [1, 2], [3], [[0, 5, undefined]]],
    ['nothing needs nothing', [], [1], []],
    [
      'in front, in between, behind',
      [5, 1, 2, 5, 3, 5],
      [1, 2, 3],
      [
        [0, 6, undefined],
        [6, 5, 0],
        [11, 6, undefined],
        [17, 4, 5],
        [21, 6, undefined]
      ]
    ]
  ] as const) {
    it(name, () => {
      assert.deepEqual(
        planDelta(fileOf(wanted).list, fileOf(basis).list).map(p => [p.fromBytes, p.lengthBytes, p.basisBytes]),
        parts
      )
    })
  }
})
