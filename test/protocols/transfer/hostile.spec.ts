import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { brotliCompressSync } from 'node:zlib'
import { CREDIT_BYTES, MAX_CHUNK_BYTES, MAX_STRIKES } from '../../../protocols/transfer/index.js'
import * as records from '../../../protocols/transfer/stream/records.js'
import type { TransferTimings } from '../../../protocols/transfer/timings.js'
import { encode } from '../../../protocols/wire/index.js'
import type { DeviceId } from '../../../storage/base/index.js'
import { nextEvent } from '../../peers.js'
import { tempDir } from '../../temp.js'
import { below, devicePair, newId, type Pair, type Prepared, prepare } from './devices.js'
import { type HostileStream, hostileStream, packOf } from './hostile-sender.js'
import { content, look } from './trees.js'

const { BEGIN, BUSY, CHUNK, DONE, END, FAILED, FLAG_BROTLI, FLAG_LAST, FLAG_ZEROS, GO, PACK, REFUSE } = records

/** A stream on which content may be sent. Until then it says that it is there, as a sender does: the receiver's preparing may take longer than silence may. */
async function begun(pair: Pair, prepared: Prepared): Promise<HostileStream> {
  const stream = await hostileStream(pair, prepared)
  stream.begin()
  const alive = setInterval(() => stream.raw(stream.control(BUSY, new Uint8Array(0))), 200)
  try {
    await stream.answer(GO)
  } finally {
    clearInterval(alive)
  }
  return stream
}

describe('a paired device that breaks the rules of a transfer', () => {
  let pair: Pair
  let temp: ReturnType<typeof tempDir>
  let prepared: Prepared
  const small = content(3_000, 1)
  const large = content(2_000_000, 2)
  before(async () => {
    pair = await devicePair({
      // No deadline ends what the rules must end.
      timings: { headerMs: 60_000, idleMs: 60_000, busyMs: 100, rateWindowMs: 60_000, minRetryMs: 1, maxRetryMs: 5 }
    })
  })
  after(() => pair.stop())
  beforeEach(async () => {
    temp = tempDir()
    mkdirSync(below(temp.path, 'in'))
    mkdirSync(below(temp.path, 't'))
    // Entries: 0 t, 1 t/large, 2 t/link-less-folder, 3 t/small
    writeFileSync(below(temp.path, 't/large'), large)
    mkdirSync(below(temp.path, 't/middle'))
    writeFileSync(below(temp.path, 't/small'), small)
    prepared = await prepare(pair, [below(temp.path, 't')], below(temp.path, 'in'))
  })
  afterEach(() => temp.clean())

  /** Everything but our staging. */
  const arrived = (): string[] => readdirSync(below(temp.path, 'in')).filter(n => !n.startsWith('.spacedrive-tmp-'))

  const afterGo = (): Promise<HostileStream> => begun(pair, prepared)

  const flipped = (frame: Uint8Array): Uint8Array => {
    const copy = new Uint8Array(frame)
    copy[copy.length - 20] = copy[copy.length - 20]! ^ 1
    return copy
  }
  const chunk = (at: number, bytes: Uint8Array, flags = 0, file = 1): [Partial<records.RecordHead>, Uint8Array] => [
    { type: CHUNK, file, offset: at, flags },
    bytes
  ]
  const MIB = 1024 * 1024

  for (const [why, attack] of [
    ['content before it may be sent', s => s.raw(s.content(...chunk(0, large.subarray(0, MIB))))],
    ['a chunk that was changed on the way', s => s.raw(flipped(s.content(...chunk(0, large.subarray(0, MIB)))))],
    [
      'a head that was changed on the way',
      s => {
        const frame = new Uint8Array(s.content(...chunk(0, large.subarray(0, MIB))))
        frame[9] = 3 // the file
        s.raw(frame)
      }
    ],
    [
      'two chunks that changed places',
      s => {
        const first = s.content(...chunk(0, large.subarray(0, MIB)))
        s.raw(s.content(...chunk(MIB, large.subarray(MIB), FLAG_LAST)))
        s.raw(first)
      }
    ],
    [
      'a record played twice',
      s => {
        const frame = s.content(...chunk(0, large.subarray(0, MIB)))
        s.raw(frame)
        s.raw(frame)
      }
    ],
    ['a chunk that leaves a gap', s => s.raw(s.content(...chunk(MIB, large.subarray(MIB), FLAG_LAST)))],
    ['a chunk beyond the end', s => s.raw(s.content(...chunk(0, content(2_000_001, 2), FLAG_LAST)))],
    ['a last chunk that is not the last', s => s.raw(s.content(...chunk(0, large.subarray(0, MIB), FLAG_LAST)))],
    ['an empty chunk', s => s.raw(s.content(...chunk(0, new Uint8Array(0))))],
    [
      'a chunk of 4 GiB of zeros',
      s => s.raw(s.content({ type: CHUNK, file: 1, flags: FLAG_ZEROS, length: 2 ** 32 - 1 }))
    ],
    [
      'compressed content that is more than it says',
      s =>
        s.raw(
          s.content(
            { type: CHUNK, file: 1, flags: FLAG_BROTLI, length: MIB },
            brotliCompressSync(Buffer.alloc(8 * MIB))
          )
        )
    ],
    [
      'compressed content that is less than it says',
      s =>
        s.raw(
          s.content({ type: CHUNK, file: 1, flags: FLAG_BROTLI, length: MIB }, brotliCompressSync(Buffer.alloc(1000)))
        )
    ],
    [
      'compressed content that is none',
      s => s.raw(s.content({ type: CHUNK, file: 1, flags: FLAG_BROTLI, length: MIB }, content(1000, 3)))
    ],
    [
      'compressed content larger than any record',
      s => s.raw(s.content({ type: CHUNK, file: 1, flags: FLAG_BROTLI, length: 2 ** 32 - 1 }, content(1000, 3)))
    ],
    [
      'an end that is compressed',
      s => s.raw(s.content({ type: END, file: 1, flags: FLAG_BROTLI, length: 32 }, new Uint8Array(20)))
    ],
    [
      'an end before the end',
      s => {
        s.raw(s.content(...chunk(0, large.subarray(0, MIB))))
        s.raw(s.content({ type: END, file: 1, offset: 2_000_000 }, new Uint8Array(32)))
      }
    ],
    [
      'the end of what was not begun',
      s => s.raw(s.content({ type: END, file: 1, offset: 2_000_000 }, new Uint8Array(32)))
    ],
    ['content of a folder', s => s.raw(s.content(...chunk(0, small, 0, 2)))],
    ['content of an entry that is not there', s => s.raw(s.content(...chunk(0, small, 0, 99)))],
    ['a pack of more files than it holds', s => s.raw(s.content({ type: PACK, file: 7 }, packOf([3, small])))],
    [
      'a pack with another size than announced',
      s => s.raw(s.content({ type: PACK, file: 1 }, packOf([3, small.subarray(1)])))
    ],
    ['a pack whose table lies', s => s.raw(s.content({ type: PACK, file: 1 }, packOf([3, small, 2 ** 31])))],
    [
      'the same small file twice',
      s => {
        s.raw(s.content({ type: PACK, file: 1 }, packOf([3, small])))
        s.raw(s.content({ type: PACK, file: 1 }, packOf([3, small])))
      }
    ],
    ['a problem without a code', s => s.raw(s.content({ type: FAILED, file: 1 }, Buffer.from('../../etc')))],
    ['a record of an unknown type', s => s.raw(s.content({ type: 31 }))],
    ['unknown flags', s => s.raw(s.content({ type: DONE, flags: 8 }))],
    ['a second beginning that is nonsense', s => s.raw(s.control(BEGIN, encode({ version: 9 })))],
    ['a frame of 4 GiB', s => s.raw(Buffer.from('ffffffff', 'hex'))],
    ['a frame longer than any chunk', s => s.raw(Buffer.from([0, 0x50, 0, 0]))],
    ['a record that is cut off', s => s.raw(Buffer.from([0, 0, 0, 3, CHUNK, 0, 0]))]
  ] as [string, (stream: HostileStream) => void][]) {
    it(`${why} ends the stream, and an honest one finishes`, async () => {
      const receiving = pair.receiver.transfers.receive(prepared.receive)
      const stream = why === 'content before it may be sent' ? await hostileStream(pair, prepared) : await afterGo()
      attack(stream)
      await stream.ended
      assert.deepEqual(arrived(), [])
      await pair.sender.transfers.send(prepared.send)
      await receiving
      assert.deepEqual(look(below(temp.path, 'in/t')), look(below(temp.path, 't')))
    })
  }

  it('more than was granted ends the stream', async () => {
    const into = below(temp.path, 'in')
    writeFileSync(below(temp.path, 'huge'), Buffer.alloc(64 * MIB, 1))
    prepared = await prepare(pair, [below(temp.path, 'huge')], into)
    const receiving = pair.receiver.transfers.receive(prepared.receive)
    const outcome = assert.rejects(receiving, { code: 'CANCELLED' })
    const stream = await afterGo()
    // All of it at once, over twice what may be on the way: the receiver cannot have consumed it as it comes in.
    const frames: Uint8Array[] = []
    for (let at = 0; at < 8 * CREDIT_BYTES - MAX_CHUNK_BYTES; at += MAX_CHUNK_BYTES)
      frames.push(stream.content(...chunk(at, Buffer.alloc(MAX_CHUNK_BYTES, 1), 0, 0)))
    for (const frame of frames) stream.raw(frame)
    await stream.ended
    assert.deepEqual(arrived(), [])
    await pair.receiver.transfers.cancel(prepared.id)
    await outcome
    assert.deepEqual(readdirSync(into), [])
  })

  it(`gives up on a device that does it ${MAX_STRIKES} times`, async () => {
    const receiving = pair.receiver.transfers.receive(prepared.receive)
    const outcome = assert.rejects(receiving, { code: 'BAD_PEER' })
    for (let i = 0; i < MAX_STRIKES; i++) {
      const stream = await afterGo()
      stream.raw(stream.content({ type: 31 }))
      await stream.ended
    }
    await outcome
    assert.deepEqual(readdirSync(below(temp.path, 'in')), [])
    await assert.rejects(pair.sender.transfers.send(prepared.send), { code: 'GONE' })
  })

  it('an id that was never accepted, that of another device, and a manifest that was not accepted are refused', async () => {
    const refused = async (p: Pick<Prepared, 'send'>, overrides = {}): Promise<string> => {
      const stream = await hostileStream(pair, p)
      stream.begin(overrides)
      const { payload } = await stream.answer(REFUSE)
      await stream.ended
      return Buffer.from(payload).toString('latin1')
    }
    assert.match(await refused({ send: { ...prepared.send, id: newId() } }), /GONE/)
    const controller = new AbortController()
    const other = { ...prepared.receive, id: newId(), device: '12D3KooWother' as DeviceId }
    const foreign = pair.receiver.transfers.receive(other, { signal: controller.signal })
    assert.match(await refused({ send: { ...prepared.send, id: other.id } }), /GONE/)
    controller.abort(new Error('enough'))
    await assert.rejects(foreign, /enough/)
    const receiving = pair.receiver.transfers.receive(prepared.receive)
    assert.match(await refused(prepared, { manifest: new Uint8Array(32) }), /MANIFEST_MISMATCH/)
    assert.match(await refused(prepared, { selection: new Uint8Array(32) }), /MANIFEST_MISMATCH/)
    await pair.sender.transfers.send(prepared.send)
    await receiving
    // Its id is single use: another beginning only hears that all is there.
    const late = await hostileStream(pair, prepared)
    late.begin()
    await late.answer(records.COMPLETE)
    late.close()
  })

  it('a record of an earlier stream, played again on a new one, fits nowhere', async () => {
    const receiving = pair.receiver.transfers.receive(prepared.receive)
    const earlier = await afterGo()
    const recorded = earlier.content(...chunk(0, large.subarray(0, MIB)))
    earlier.raw(recorded)
    earlier.close()
    const stream = await afterGo()
    stream.raw(recorded)
    await stream.ended
    assert.deepEqual(arrived(), [])
    await pair.sender.transfers.send(prepared.send)
    await receiving
    assert.deepEqual(look(below(temp.path, 'in/t')), look(below(temp.path, 't')))
  })

  it('a cancellation of what belongs to another device does nothing', async () => {
    const other = { ...prepared.receive, id: newId(), device: '12D3KooWother' as DeviceId }
    const controller = new AbortController()
    const started = nextEvent(pair.receiver.peer, 'transfer:started', e => e.transfer === other.id)
    const foreign = pair.receiver.transfers.receive(other, { signal: controller.signal })
    await started
    const stream = await hostileStream(pair, { send: { ...prepared.send, id: other.id } })
    stream.raw(stream.control(records.CANCEL, encode({ code: 'CANCELLED' })))
    await stream.ended
    assert.equal(pair.receiver.transfers.find(other.id)?.state, 'active')
    controller.abort(new Error('enough'))
    await assert.rejects(foreign, /enough/)
  })
})

/** A pair of its own that is about to send one large file: what is tried ends the stream, nothing is there, and an honest one finishes. */
async function withOneLarge(
  timings: Partial<TransferTimings>,
  attempt: (pair: Pair, prepared: Prepared, bytes: Uint8Array) => Promise<void>
): Promise<void> {
  const temp = tempDir()
  const bytes = content(2_000_000, 2)
  const pair = await devicePair({ timings })
  try {
    mkdirSync(below(temp.path, 'in'))
    writeFileSync(below(temp.path, 'large'), bytes)
    const prepared = await prepare(pair, [below(temp.path, 'large')], below(temp.path, 'in'))
    const receiving = pair.receiver.transfers.receive(prepared.receive)
    await attempt(pair, prepared, bytes)
    assert.deepEqual(
      readdirSync(below(temp.path, 'in')).filter(n => !n.startsWith('.spacedrive-tmp-')),
      []
    )
    await pair.sender.transfers.send(prepared.send)
    await receiving
  } finally {
    await pair.stop()
    temp.clean()
  }
}

describe('a sender that falls silent', () => {
  it('before the beginning, and in the middle, loses its stream', () =>
    withOneLarge(
      { headerMs: 2_000, idleMs: 2_000, busyMs: 100, rateWindowMs: 60_000, minRetryMs: 1, maxRetryMs: 5 },
      async (pair, prepared, bytes) => {
        const mute = await hostileStream(pair, prepared)
        await mute.ended
        const halfway = await begun(pair, prepared)
        halfway.raw(halfway.content({ type: CHUNK, file: 0, offset: 0 }, bytes.subarray(0, 1024 * 1024)))
        await halfway.ended
      }
    ))
})

describe('a sender that is slower than it may be', () => {
  it('ends its stream after the window, also when it always says a little', () =>
    withOneLarge(
      {
        ...{ headerMs: 5_000, idleMs: 30_000, busyMs: 10_000, drainMs: 30_000, rateWindowMs: 400 },
        ...{ minBytesPerSecond: 1024, minRetryMs: 1, maxRetryMs: 5 }
      },
      async (pair, prepared, bytes) => {
        const stream = await begun(pair, prepared)
        let at = 0
        const drip = setInterval(() => {
          stream.raw(stream.content({ type: CHUNK, file: 0, offset: at }, bytes.subarray(at, at + 1)))
          at++
        }, 50) // 39 bytes a record: 780 a second
        await stream.ended
        clearInterval(drip)
        assert.ok(at > 1, 'it said something all the time')
      }
    ))
})
