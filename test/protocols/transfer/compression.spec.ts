import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { brotliDecompressSync } from 'node:zlib'
import { CREDIT_BYTES, SLOW_LINK_BYTES_PER_SECOND } from '../../../protocols/transfer/limits.js'
import { Compression } from '../../../protocols/transfer/send/compression.js'
import { tempDir } from '../../temp.js'
import { below, devicePair, prepare } from './devices.js'
import { look } from './trees.js'

const MIB = 2 ** 20
const words = Buffer.from('a line of words that comes again and again, '.repeat(30_000)).subarray(0, MIB)

const whole = { bytes: CREDIT_BYTES, windowBytes: CREDIT_BYTES }

/** A sender on a link of this speed, all of whose window is used, or little of it. */
function onLink(bytesPerSecond: number, onTheWay = whole): Compression {
  let ms = 0
  const compression = new Compression(SLOW_LINK_BYTES_PER_SECOND, () => ms)
  for (let credit = MIB; ms < 5_000; credit += MIB) {
    ms += (MIB / bytesPerSecond) * 1000
    compression.credited(credit, onTheWay)
  }
  return compression
}

describe('compression of content', () => {
  it('begins when the link has shown that it is slow, at the edge of the limit', () => {
    assert.equal(new Compression(SLOW_LINK_BYTES_PER_SECOND).compress(words), undefined)
    assert.equal(onLink(SLOW_LINK_BYTES_PER_SECOND + 1).compress(words), undefined)
    const smaller = onLink(SLOW_LINK_BYTES_PER_SECOND - 1).compress(words)
    assert.ok(smaller && smaller.length < MIB / 50)
    assert.ok(brotliDecompressSync(smaller).equals(words))
  })

  it('a link that had nothing to carry is not taken for a slow one', () => {
    assert.equal(onLink(MIB, { ...whole, bytes: CREDIT_BYTES / 2 - 1 }).compress(words), undefined)
    assert.ok(onLink(MIB, { ...whole, bytes: CREDIT_BYTES / 2 }).compress(words))
  })

  it('what a small window lets be on its way shows how fast the receiver takes it', () => {
    const windowBytes = 200 * 1024
    assert.ok(onLink(MIB, { bytes: windowBytes / 2, windowBytes }).compress(words))
    assert.equal(onLink(MIB, { bytes: windowBytes / 2 - 1, windowBytes }).compress(words), undefined)
  })

  it('what does not get smaller goes as it is', () => {
    assert.equal(onLink(MIB).compress(randomBytes(MIB)), undefined)
  })

  it('a link that became fast is left alone again', () => {
    let ms = 0
    const compression = new Compression(SLOW_LINK_BYTES_PER_SECOND, () => ms)
    for (let i = 1; i <= 100; i++) {
      ms += i < 10 ? 1000 : 1
      compression.credited(i * MIB, whole)
      if (i === 9) assert.ok(compression.compress(words))
    }
    ms += 250
    compression.credited(200 * MIB, whole)
    assert.equal(compression.compress(words), undefined)
  })

  for (const [how, compressBelowBytesPerSecond] of [
    ['compressed', Infinity],
    ['as they are', 0]
  ] as const) {
    it(`large and small files, text and noise, arrive the same when they are sent ${how}`, async () => {
      const temp = tempDir()
      const pair = await devicePair({ timings: { compressBelowBytesPerSecond } })
      try {
        const root = below(temp.path, 'tree')
        mkdirSync(root)
        mkdirSync(below(temp.path, 'in'))
        for (let i = 0; i < 200; i++) writeFileSync(below(root, `small-${i}`), words.subarray(i, i * 40))
        writeFileSync(below(root, 'large'), Buffer.concat([words, words, randomBytes(MIB + 1), words]))
        const { send, receive } = await prepare(pair, [root], below(temp.path, 'in'))
        const [got, sent] = await Promise.all([
          pair.receiver.transfers.receive(receive),
          pair.sender.transfers.send(send)
        ])
        assert.deepEqual([got.problems, sent.problems], [[], []])
        assert.deepEqual(look(below(temp.path, 'in/tree')), look(root))
        if (how === 'compressed') assert.ok(sent.bytesOnWire < 1.3 * MIB, `${sent.bytesOnWire}`)
        else assert.ok(sent.bytesOnWire > sent.bytes, `${sent.bytesOnWire}`)
      } finally {
        await pair.stop()
        temp.clean()
      }
    })
  }
})
