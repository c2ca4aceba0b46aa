import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { CREDIT_BYTES, MAX_PASSES, MAX_STRIKES } from '../../../protocols/transfer/index.js'
import { encodeProblems } from '../../../protocols/transfer/stream/problem-rows.js'
import * as records from '../../../protocols/transfer/stream/records.js'
import type { TransferTimings } from '../../../protocols/transfer/timings.js'
import { below } from './devices.js'
import { type AnsweredStream, hostileReceiver } from './hostile-receiver.js'
import { sendingTo } from './sending-to.js'
import { content, look } from './trees.js'

const { BEGIN, CHUNK, COMPLETE, CREDIT, DONE, GO, HAVE, PACK, PARTIAL, PROBLEMS, REFUSE } = records
/** More than what opens a stream, far less than what one may hold. */
const MANY_BYTES = 64 * 1024

/** A sender with these deadlines, and a folder `t` to send. */
function sendingFolder(timings: Partial<TransferTimings>) {
  const ends = sendingTo(timings)
  beforeEach(() => {
    // Entries: 0 t, 1 t/large, 2 t/small
    mkdirSync(below(ends.dir, 't'))
    writeFileSync(below(ends.dir, 't/large'), content(2_000_000, 2))
    writeFileSync(below(ends.dir, 't/small'), content(3_000, 1))
  })
  return ends
}

const u32 = (...values: number[]): Uint8Array => {
  const bytes = Buffer.alloc(4 * values.length)
  for (const [i, v] of values.entries()) bytes.writeUInt32BE(v, 4 * i)
  return bytes
}

describe('a paired device that breaks the rules while it receives', () => {
  // No deadline ends what the rules must end.
  const ends = sendingFolder({ headerMs: 60_000, idleMs: 60_000, busyMs: 200, drainMs: 60_000 })

  for (const [what, attack] of [
    ['a bitmap that is longer than the manifest', s => s.raw(s.account({ type: HAVE, offset: 0 }, new Uint8Array(2)))],
    ['a bitmap far behind the end', s => s.raw(s.account({ type: HAVE, offset: 2 ** 40 }, new Uint8Array(1)))],
    [
      'a partial file that is not in the manifest',
      s => s.raw(s.account({ type: PARTIAL, file: 3, offset: 10 }, new Uint8Array(32)))
    ],
    [
      'a partial file with half a hash',
      s => s.raw(s.account({ type: PARTIAL, file: 1, offset: 10 }, new Uint8Array(16)))
    ],
    [
      'more partial files than may be open',
      s => {
        for (let i = 0; i < 17; i++) s.raw(s.account({ type: PARTIAL, file: 1, offset: 10 }, new Uint8Array(32)))
      }
    ],
    [
      'a problem of what is not in the manifest',
      s => s.raw(s.account({ type: PROBLEMS, file: 1 }, encodeProblems([{ file: 2 ** 32 - 1, code: 'NO_PERMISSION' }])))
    ],
    ['problems that are cut off', s => s.raw(s.account({ type: PROBLEMS, file: 1 }, u32(1)))],
    [
      'a problem with a code that is a path',
      s =>
        s.raw(
          s.account({ type: PROBLEMS, file: 1 }, Buffer.concat([u32(1), Buffer.from([9]), Buffer.from('../../etc')]))
        )
    ],
    ['a window of more than the credit', s => s.raw(s.account({ type: GO, file: CREDIT_BYTES / 1024 + 1 }))],
    [
      'a window that grows to more than can be counted',
      async s => {
        s.raw(s.account({ type: GO, file: CREDIT_BYTES / 1024 }))
        await s.saw(CHUNK)
        s.raw(s.account({ type: CREDIT, file: 2 ** 32 - 1, offset: 100 }))
      }
    ],
    ['a credit for what was not sent', s => s.raw(s.account({ type: CREDIT, offset: 2 ** 50 }))],
    [
      'a credit that falls',
      async s => {
        s.raw(s.account({ type: GO }))
        await s.saw(CHUNK)
        s.raw(s.account({ type: CREDIT, offset: 100 }))
        s.raw(s.account({ type: CREDIT, offset: 99 }))
      }
    ],
    [
      'the same content asked for again and again',
      async s => {
        for (let pass = 1; pass <= MAX_PASSES; pass++) {
          s.raw(s.account({ type: GO }))
          await s.saw(DONE, pass)
          s.raw(s.account({ type: CREDIT, offset: s.came.reduce(consumedOf, 0) }))
        }
        s.raw(s.account({ type: GO }))
      }
    ],
    ['a record of the sender', s => s.raw(s.answer(BEGIN, {}))],
    ['content sent back', s => s.raw(s.answer(PACK, {}))],
    ['an unknown type', s => s.raw(s.account({ type: 47 }))],
    ['an end that is nonsense', s => s.raw(s.answer(COMPLETE, { files: -1 }))],
    [
      'an end with more problems than are listed',
      s =>
        s.raw(
          s.answer(COMPLETE, {
            ...{ files: 0, bytes: 0, problemCount: 1 },
            problems: Array.from({ length: 1_001 }, () => ({ file: 1, code: 'NO_SPACE', by: 'receiver' }))
          })
        )
    ],
    [
      'an end with a problem of what is not in the manifest',
      s =>
        s.raw(
          s.answer(COMPLETE, {
            ...{ files: 0, bytes: 0, problemCount: 1 },
            problems: [{ file: 3, code: 'NO_SPACE', by: 'receiver' }]
          })
        )
    ],
    ['a refusal with a code that is a text', s => s.raw(s.answer(REFUSE, { code: '\u001b[31mhello' }))],
    ['a frame of 4 GiB', s => s.raw(u32(2 ** 32 - 1))],
    ['a frame longer than an answer', s => s.raw(u32(64 * 1024 + 1))],
    ['an empty frame', s => s.raw(u32(0))],
    [
      'an answer that was changed on the way',
      s => {
        const frame = new Uint8Array(s.account({ type: GO }))
        frame[frame.length - 1] = frame[frame.length - 1]! ^ 1
        s.raw(frame)
      }
    ],
    [
      'an answer played twice',
      s => {
        const frame = s.account({ type: HAVE, offset: 0 }, new Uint8Array(1))
        s.raw(frame)
        s.raw(frame)
      }
    ]
  ] as [string, (stream: AnsweredStream) => void | Promise<void>][]) {
    it(`${what}: the stream ends; the third time the transfer does`, async () => {
      let streams = 0
      await hostileReceiver(ends.receiver, async stream => {
        streams++
        await attack(stream)
      })
      const before = look(below(ends.dir, 't'))
      await assert.rejects(ends.send('t'), { code: 'BAD_PEER' })
      assert.equal(streams, MAX_STRIKES)
      assert.deepEqual(look(below(ends.dir, 't')), before)
    })
  }

  it('one that says that all has arrived is believed for itself alone: what was sent is counted as it says', async () => {
    await hostileReceiver(ends.receiver, stream =>
      stream.raw(stream.answer(COMPLETE, { files: 2, bytes: 5, problemCount: 0, problems: [] }))
    )
    const result = await ends.send('t')
    assert.equal(result.files, 2)
    assert.equal(result.bytes, 5)
  })
})

describe('a paired device that is silent while it receives', () => {
  const ends = sendingFolder({ headerMs: 60_000, idleMs: 1_000, busyMs: 200, drainMs: 400 })
  const enough = new Error('seen enough')
  beforeEach(() => writeFileSync(below(ends.dir, 't/large'), Buffer.alloc(64 * 2 ** 20, 7)))

  it('one that asks and never takes anything gets no more than the credit, and its stream is ended', async () => {
    const came: number[] = []
    const stop = new AbortController()
    await hostileReceiver(ends.receiver, async stream => {
      stream.raw(stream.account({ type: GO }))
      await stream.ended
      came.push(stream.came.reduce(consumedOf, 0))
      if (came.at(-1)! > 0) stop.abort(enough)
    })
    await assert.rejects(ends.send('t', { signal: stop.signal }), enough)
    assert.ok(Math.max(...came) <= CREDIT_BYTES, `${came} bytes came without a credit`)
  })

  it('one that does not even read is left after the deadline, and no more than the credit was made ready', async () => {
    const stop = new AbortController()
    let before = 0
    let most = 0
    await hostileReceiver(ends.receiver, stream => {
      // The stream before this one is over: all that was ever handed to it is counted.
      most = Math.max(most, ends.sentBytes() - before)
      before = ends.sentBytes()
      if (most > MANY_BYTES) stop.abort(enough)
      stream.raw(stream.account({ type: GO }))
      stream.stopReading()
    })
    await assert.rejects(ends.send('t', { signal: stop.signal }), enough)
    assert.ok(most <= CREDIT_BYTES + MANY_BYTES, `${most} bytes were made ready`)
  })
})

/** Bytes of content frames, as credits count them. */
function consumedOf(sum: number, { type, length, flags }: records.OpenRecord): number {
  if (records.senderChannel(type) !== 'content') return sum
  return sum + records.RECORD_OVERHEAD_BYTES + ((flags & records.FLAG_ZEROS) !== 0 ? 0 : length)
}
