import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  BLOCK_HASH_BYTES,
  BlockReader,
  blockAverage,
  hashBytes,
  hashToBytes,
  isBlockAverage,
  MAX_BLOCK_AVERAGE,
  MIN_BLOCK_AVERAGE
} from '../../../storage/content/index.js'

const KIB = 1024
const MIB = 1024 * KIB

/** Bytes without a pattern, the same everywhere: xorshift from a seed. */
function noise(length: number, seed = 1): Uint8Array {
  const words = new Uint32Array(Math.ceil(length / 4))
  let x = seed
  for (let i = 0; i < words.length; i++) {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    words[i] = x
  }
  const view = new DataView(words.buffer)
  for (let i = 0; i < words.length; i++) view.setUint32(4 * i, words[i]!, true)
  return new Uint8Array(words.buffer, 0, length)
}

interface Block {
  readonly length: number
  readonly hash: string
}

function blocksOf(content: Uint8Array, average = MIN_BLOCK_AVERAGE, pieces: readonly number[] = []): Block[] {
  const reader = new BlockReader(average)
  const blocks: Block[] = []
  const take = (): void => {
    const { lengths, hashes } = reader.take()
    for (const [i, length] of lengths.entries()) {
      const hash = hashes.subarray(i * BLOCK_HASH_BYTES, (i + 1) * BLOCK_HASH_BYTES)
      blocks.push({ length, hash: Buffer.from(hash).toString('hex') })
    }
  }
  let from = 0
  for (const to of [...pieces.filter(p => p < content.length).sort((a, b) => a - b), content.length]) {
    reader.update(content.subarray(from, to))
    take()
    from = to
  }
  assert.equal(reader.end(), hashBytes(content))
  take()
  return blocks
}

const lengthsOf = (content: Uint8Array, average?: number): number[] => blocksOf(content, average).map(b => b.length)

function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts))
}

/** Where blocks end. */
function ends(content: Uint8Array): number[] {
  let at = 0
  return lengthsOf(content).map(length => {
    at += length
    return at
  })
}

const fromEnd = (content: Uint8Array, list: readonly number[]): number[] => list.map(end => content.length - end)

/** The rule of docs/delta.md, word for word: each sum anew from its 32 bytes. */
function asWritten(content: Uint8Array, average: number): number[] {
  const gear = Array.from({ length: 256 }, (_, n) =>
    Buffer.from(hashBytes(Buffer.from(`spacedrive gear ${n}`)), 'hex').readUInt32LE()
  )
  const bits = Math.log2(average)
  const lengths: number[] = []
  for (let begin = 0; begin < content.length; ) {
    let length = average / 4
    for (; length < 4 * average && begin + length < content.length; length++) {
      // A block ends behind its last byte, which is the last of the window.
      if (length === average / 4) continue
      let sum = 0
      for (let back = 31; back >= 0; back--) sum = (2 * sum + gear[content[begin + length - 1 - back]!]!) % 2 ** 32
      const zeros = bits + (length <= average ? 2 : -2)
      if (Math.floor(sum / 2 ** (32 - zeros)) === 0) break
    }
    length = Math.min(length, content.length - begin)
    lengths.push(length)
    begin += length
  }
  return lengths
}

/** Bytes in blocks that are known. */
function shared(known: ReadonlySet<string>, b: Uint8Array): number {
  return blocksOf(b).reduce((sum, { hash, length }) => sum + (known.has(hash) ? length : 0), 0)
}

describe('blocks cut by content', () => {
  describe('vectors: another implementation must cut here', () => {
    for (const [name, content, average, lengths] of [
      ['nothing', noise(0), 64 * KIB, []],
      ['one byte', noise(1), 64 * KIB, [1]],
      ['zeros', new Uint8Array(600 * KIB), 64 * KIB, [256 * KIB, 256 * KIB, 88 * KIB]],
      [
        'noise, blocks of 64 KiB',
        noise(MIB),
        64 * KIB,
        [...[91790, 19247, 90375, 69024, 67591, 70573, 75403, 140209], ...[74351, 65828, 67224, 95360, 67413, 54188]]
      ],
      [
        'noise, blocks of 256 KiB',
        noise(2 * MIB, 7),
        256 * KIB,
        [348470, 304136, 300560, 428773, 263354, 299866, 151993]
      ]
    ] as const) {
      it(name, () => {
        assert.deepEqual(lengthsOf(content, average), lengths)
        assert.deepEqual(asWritten(content, average), lengths)
      })
    }
  })

  it('each block has the hash of its bytes', () => {
    const content = noise(MIB, 3)
    let from = 0
    for (const { length, hash } of blocksOf(content)) {
      const whole = hashToBytes(hashBytes(content.subarray(from, from + length)))
      assert.equal(hash, Buffer.from(whole.subarray(0, BLOCK_HASH_BYTES)).toString('hex'))
      from += length
    }
    assert.equal(from, content.length)
  })

  it('where it is cut depends on the content alone, not on the pieces it comes in; lengths keep their bounds', () => {
    const content = concat(noise(700 * KIB, 5), new Uint8Array(500 * KIB), noise(300 * KIB, 6))
    fc.assert(
      fc.property(fc.nat(content.length), fc.array(fc.nat(content.length), { maxLength: 8 }), (length, pieces) => {
        const part = content.subarray(0, length)
        const whole = blocksOf(part)
        assert.deepEqual(blocksOf(part, MIN_BLOCK_AVERAGE, pieces), whole)
        assert.equal(
          whole.reduce((sum, b) => sum + b.length, 0),
          length
        )
        for (const [i, block] of whole.entries()) {
          assert.ok(block.length <= 4 * MIN_BLOCK_AVERAGE && block.length > 0)
          if (i < whole.length - 1) assert.ok(block.length >= MIN_BLOCK_AVERAGE / 4)
        }
      }),
      { numRuns: 30 }
    )
  })

  it('an edit leaves every block before it, and behind the first end in common every block to the end', () => {
    const content = noise(2 * MIB, 11)
    const before = ends(content)
    fc.assert(
      fc.property(fc.nat(content.length), fc.nat(5000), fc.nat(5000), (at, removed, inserted) => {
        const tail = content.subarray(at + removed)
        const edited = concat(content.subarray(0, at), noise(inserted, 13), tail)
        const after = ends(edited)
        // The last one ends with the file, whatever it holds.
        const head = before.filter(end => end <= at && end < content.length)
        assert.deepEqual(after.slice(0, head.length), head)
        const [a, b] = [fromEnd(content, before), fromEnd(edited, after)]
        const common = Math.max(...a.filter(end => end <= tail.length && b.includes(end)))
        const rest = (list: readonly number[]): number[] => list.filter(end => end <= common)
        assert.deepEqual(rest(b), rest(a))
      }),
      { numRuns: 30 }
    )
  })

  it('an end in common comes soon: an edit costs three blocks at the mean', () => {
    const content = noise(2 * MIB, 11)
    const known = new Set(blocksOf(content).map(block => block.hash))
    let lost = 0
    const edits = 24
    for (let i = 0; i < edits; i++) {
      const at = Math.floor((content.length * i) / edits)
      const edited = concat(content.subarray(0, at), noise(i * 100, 13), content.subarray(at))
      lost += content.length - shared(known, edited)
    }
    assert.ok(lost / edits < 3 * MIN_BLOCK_AVERAGE)
  })

  it('the average grows with the file, so that a list stays small', () => {
    for (const [size, average] of [
      [0, 64 * KIB],
      [512 * MIB, 64 * KIB],
      [512 * MIB + 1, 128 * KIB],
      [1024 * MIB, 128 * KIB],
      [32 * 1024 * MIB, 4 * MIB],
      [2 ** 50, 4 * MIB]
    ] as const) {
      assert.equal(blockAverage(size), average)
    }
  })

  it('both ends know which averages there are', () => {
    for (const average of [MIN_BLOCK_AVERAGE, 2 * MIN_BLOCK_AVERAGE, MAX_BLOCK_AVERAGE])
      assert.ok(isBlockAverage(average))
    for (const average of [
      0,
      MIN_BLOCK_AVERAGE / 2,
      MIN_BLOCK_AVERAGE + 1,
      3 * MIN_BLOCK_AVERAGE,
      2 * MAX_BLOCK_AVERAGE,
      Number.NaN
    ]) {
      assert.ok(!isBlockAverage(average))
      assert.throws(() => new BlockReader(average), RangeError)
    }
  })
})
