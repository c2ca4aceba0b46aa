import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { CREDIT_BYTES, MIN_WINDOW_BYTES, PACK_FRAME_BYTES } from '../../../protocols/transfer/limits.js'
import { AccountWriter } from '../../../protocols/transfer/receive/account-writer.js'
import { type Incoming, isSendersTurn } from '../../../protocols/transfer/receive/senders-turn.js'
import { OnTheWay } from '../../../protocols/transfer/send/on-the-way.js'
import {
  CREDIT,
  FRAME_LENGTH_BYTES,
  GO,
  Opener,
  type OpenRecord,
  RECORD_OVERHEAD_BYTES
} from '../../../protocols/transfer/stream/records.js'
import { windowFromWire, windowToWire, windowUnder } from '../../../protocols/transfer/stream/window.js'

const KIB = 1024

describe('the window of a transfer', () => {
  for (const [what, limitBytes, expected] of [
    ['no limit', undefined, CREDIT_BYTES],
    ['nothing', 0, MIN_WINDOW_BYTES],
    ['1 KiB', KIB, MIN_WINDOW_BYTES],
    ['less than the least', MIN_WINDOW_BYTES - 1, MIN_WINDOW_BYTES],
    ['the least', MIN_WINDOW_BYTES, MIN_WINDOW_BYTES],
    ['whole KiB', 200 * KIB, 200 * KIB],
    ['parts of a KiB', 200 * KIB + 1023, 200 * KIB],
    ['less than the most', CREDIT_BYTES - 1, CREDIT_BYTES - KIB],
    ['the most', CREDIT_BYTES, CREDIT_BYTES],
    ['one above the most', CREDIT_BYTES + 1, CREDIT_BYTES],
    ['the largest limit', 2 ** 41, CREDIT_BYTES]
  ] as const) {
    it(`is as large as two seconds of a limit let through: ${what}`, () => {
      const windowBytes = windowUnder(limitBytes)
      assert.equal(windowBytes, expected)
      assert.equal(windowFromWire(windowToWire(windowBytes)), expected)
    })
  }

  it('is all of the credit where a device says nothing of it, and such a device is told nothing', () => {
    assert.equal(windowFromWire(0), CREDIT_BYTES)
    assert.equal(windowToWire(windowUnder(undefined)), 0)
  })

  for (const [kib, expected] of [
    [1, KIB],
    [16, MIN_WINDOW_BYTES],
    [8191, CREDIT_BYTES - KIB],
    [8192, CREDIT_BYTES]
  ] as const)
    it(`of ${kib} KiB is taken as it is told`, () => assert.equal(windowFromWire(kib), expected))

  for (const kib of [8193, 2 ** 31, 2 ** 32 - 1])
    it(`of ${kib} KiB is more than may be`, () => assert.throws(() => windowFromWire(kib), { code: 'MALFORMED' }))
})

describe('what is on its way', () => {
  it('is one frame of whatever size, or what the window holds', () => {
    const onTheWay = new OnTheWay()
    onTheWay.windowBytes = 1000
    assert.ok(onTheWay.hasRoom(PACK_FRAME_BYTES))
    onTheWay.sent(400)
    assert.ok(onTheWay.hasRoom(600))
    assert.ok(!onTheWay.hasRoom(601))
    onTheWay.consumed(399)
    assert.ok(onTheWay.hasRoom(999))
    assert.ok(!onTheWay.hasRoom(1000))
    onTheWay.consumed(400)
    assert.ok(onTheWay.hasRoom(1001))
  })

  for (const [windowBytes, pieceBytes, packBytes] of [
    [KIB, 16 * KIB, 16 * KIB],
    [16 * KIB, 16 * KIB, 16 * KIB],
    [64 * KIB, 16 * KIB, 64 * KIB],
    [65 * KIB, 16.25 * KIB, 65 * KIB],
    [200 * KIB, 50 * KIB, 200 * KIB],
    [CREDIT_BYTES, CREDIT_BYTES / 4, CREDIT_BYTES]
  ] as const) {
    it(`goes in pieces of ${pieceBytes} bytes in a window of ${windowBytes}`, () => {
      const onTheWay = new OnTheWay()
      onTheWay.windowBytes = windowBytes
      assert.deepEqual([onTheWay.pieceBytes, onTheWay.packBytes], [pieceBytes, packBytes])
    })
  }

  it('is never more than the credit, whatever windows are told and whatever is consumed', () => {
    const step = fc.record({
      kib: fc.integer({ min: 0, max: 8192 }),
      frames: fc.array(fc.integer({ min: RECORD_OVERHEAD_BYTES, max: PACK_FRAME_BYTES }), { maxLength: 20 }),
      part: fc.double({ min: 0, max: 1, noNaN: true })
    })
    fc.assert(
      fc.property(fc.array(step), steps => {
        const onTheWay = new OnTheWay()
        let sent = 0
        let consumed = 0
        for (const { kib, frames, part } of steps) {
          onTheWay.windowBytes = windowFromWire(kib)
          for (const bytes of frames) {
            if (!onTheWay.hasRoom(bytes)) continue
            onTheWay.sent(bytes)
            sent += bytes
            assert.ok(onTheWay.bytes <= CREDIT_BYTES)
            assert.ok(onTheWay.bytes <= onTheWay.windowBytes || onTheWay.bytes === bytes)
          }
          consumed += Math.floor((sent - consumed) * part)
          onTheWay.consumed(consumed)
          assert.equal(onTheWay.bytes, sent - consumed)
        }
      })
    )
  })
})

describe('what a receiver says of its window', () => {
  function writing(): { writer: AccountWriter; said: OpenRecord[]; told: number[] } {
    const [key, id] = [randomBytes(32), randomBytes(16)]
    const opener = new Opener(key, id)
    const said: OpenRecord[] = []
    const told: number[] = []
    const writer = new AccountWriter(key, id, frame => {
      said.push(opener.open(frame.subarray(FRAME_LENGTH_BYTES)))
      told.push(writer.toldBytes)
    })
    return { writer, said, told }
  }
  const windowsOf = (said: readonly OpenRecord[]): [type: number, kib: number, offset: number][] =>
    said.map(({ type, file, offset }) => [type, file, offset])

  it('is 0 without a limit; with one it is in KiB, from the next record on, and 0 again when it is gone', () => {
    const { writer, said, told } = writing()
    writer.go()
    writer.windowBytes = MIN_WINDOW_BYTES
    assert.equal(writer.toldBytes, CREDIT_BYTES)
    writer.credit(1, true)
    writer.windowBytes = 200 * KIB
    writer.go()
    writer.windowBytes = CREDIT_BYTES
    writer.credit(2, false)
    writer.flush()
    assert.deepEqual(windowsOf(said), [
      [GO, 0, 0],
      [CREDIT, 16, 1],
      [GO, 200, 0],
      [CREDIT, 0, 2]
    ])
    assert.deepEqual(told, [CREDIT_BYTES, MIN_WINDOW_BYTES, 200 * KIB, CREDIT_BYTES])
  })

  for (const windowBytes of [MIN_WINDOW_BYTES, 200 * KIB, CREDIT_BYTES]) {
    it(`comes with credit for each eighth of ${windowBytes} bytes`, () => {
      const { writer, said } = writing()
      writer.windowBytes = windowBytes
      const step = windowBytes / 8
      for (const consumed of [1, step - 1, step, 2 * step - 1, 2 * step]) writer.credit(consumed, false)
      assert.deepEqual(
        said.map(({ offset }) => offset),
        [step, 2 * step]
      )
    })
  }
})

describe('the turn to move something', () => {
  const nothing: Incoming = { held: 0, isArriving: false, waitingBytes: 0, toldBytes: MIN_WINDOW_BYTES }
  for (const [why, incoming, expected] of [
    ['nothing waits here', {}, true],
    ['less than half of the window waits', { waitingBytes: MIN_WINDOW_BYTES / 2 - 1 }, true],
    ['half of the window waits to be written', { waitingBytes: MIN_WINDOW_BYTES / 2 }, false],
    ['half of the credit waits, without a limit', { waitingBytes: CREDIT_BYTES / 2, toldBytes: CREDIT_BYTES }, false],
    ['less than that', { waitingBytes: CREDIT_BYTES / 2 - 1, toldBytes: CREDIT_BYTES }, true],
    ['a frame that is larger than the window is arriving', { isArriving: true, waitingBytes: 2 ** 20 }, true],
    ['a frame waits for the limit', { held: 1 }, false],
    ['one waits for it and the next is arriving', { held: 1, isArriving: true }, false]
  ] as [string, Partial<Incoming>, boolean][]) {
    it(`is the ${expected ? 'sender' : 'receiver'}'s: ${why}`, () =>
      assert.equal(isSendersTurn({ ...nothing, ...incoming }), expected))
  }
})
