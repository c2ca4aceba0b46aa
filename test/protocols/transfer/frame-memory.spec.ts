import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { CREDIT_BYTES, MAX_CONTENT_FRAME_BYTES, PACK_FRAME_BYTES } from '../../../protocols/transfer/limits.js'
import { FrameBuffers, reusable } from '../../../protocols/transfer/stream/frame-buffers.js'
import { FrameRing, ringMemory } from '../../../protocols/transfer/stream/frame-ring.js'
import {
  CHUNK,
  FRAME_LENGTH_BYTES,
  Opener,
  RECORD_OVERHEAD_BYTES,
  Sealer
} from '../../../protocols/transfer/stream/records.js'

describe('memory for frames', () => {
  const frameLength = fc.oneof(
    fc.integer({ min: RECORD_OVERHEAD_BYTES, max: 200 }),
    fc.integer({ min: RECORD_OVERHEAD_BYTES, max: PACK_FRAME_BYTES }),
    fc.integer({ min: 65_000, max: 66_000 })
  )

  it('a ring never gives out a place whose frame was not consumed, as long as the credit is kept', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(frameLength, fc.nat(40)), { minLength: 1, maxLength: 400 }), steps => {
        const memory = ringMemory(PACK_FRAME_BYTES)
        const ring = new FrameRing(memory)
        const waiting: { from: number; to: number }[] = []
        let onTheWay = 0
        for (const [length, consumed] of steps) {
          for (let n = 0; n < consumed || onTheWay + length > CREDIT_BYTES; n++) {
            const first = waiting.shift()
            if (first === undefined) break
            onTheWay -= first.to - first.from
          }
          const frame = ring.take(length)
          const [from, to] = [frame.byteOffset, frame.byteOffset + length]
          assert.equal(frame.length, length)
          assert.equal(frame.buffer, memory)
          for (const other of waiting) assert.ok(to <= other.from || from >= other.to, 'two frames in one place')
          waiting.push({ from, to })
          onTheWay += length
        }
      })
    )
  })

  it('many small frames fill the credit and still fit', () => {
    const ring = new FrameRing(ringMemory(PACK_FRAME_BYTES))
    const first = ring.take(RECORD_OVERHEAD_BYTES)
    for (let sent = 2 * RECORD_OVERHEAD_BYTES; sent <= CREDIT_BYTES; sent += RECORD_OVERHEAD_BYTES) {
      const { byteOffset } = ring.take(RECORD_OVERHEAD_BYTES)
      if (byteOffset < first.byteOffset + first.length) assert.fail(`the ring came round after ${sent} bytes`)
    }
  })

  it('is kept over a moment without work, and let go at the second that comes without any in between', () => {
    const buffers = new FrameBuffers()
    const first = buffers.take(PACK_FRAME_BYTES)
    buffers.give(first.buffer)
    buffers.rest()
    const again = buffers.take(PACK_FRAME_BYTES)
    assert.equal(again.buffer, first.buffer)
    buffers.give(again.buffer)
    buffers.rest()
    buffers.take(100) // small ones use none of it
    buffers.rest()
    assert.notEqual(buffers.take(PACK_FRAME_BYTES).buffer, first.buffer)
  })

  it('a record sealed into a ring opens like one in memory of its own', () => {
    const [key, id] = [randomBytes(32), randomBytes(16)]
    const ring = new FrameRing(ringMemory(PACK_FRAME_BYTES))
    const sealer = new Sealer(key, id)
    const opener = new Opener(key, id)
    for (const length of [0, 1, 65_535, 65_536, 65_537, 1_048_576]) {
      const payload = randomBytes(length)
      const head = { type: CHUNK, flags: 0, file: 1, offset: 5, length }
      const frame = sealer.seal(head, payload, ring.take(length + RECORD_OVERHEAD_BYTES))
      const opened = opener.open(new Uint8Array(frame).subarray(FRAME_LENGTH_BYTES))
      assert.deepEqual(Buffer.compare(opened.payload, payload), 0)
    }
  })

  it('buffers of frames that were consumed are used again, small and oversized frames have their own', () => {
    const buffers = new FrameBuffers()
    const frame = buffers.take(1_048_576 + RECORD_OVERHEAD_BYTES)
    const [memory] = reusable(frame)
    assert.ok(memory)
    buffers.give(memory)
    assert.equal(buffers.take(PACK_FRAME_BYTES).buffer, memory)
    assert.notEqual(buffers.take(PACK_FRAME_BYTES).buffer, memory)
    for (const length of [1, 1000, MAX_CONTENT_FRAME_BYTES]) {
      const own = buffers.take(length)
      assert.equal(own.buffer.byteLength, length)
      assert.deepEqual(reusable(own), [])
    }
  })
})
