import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { MAX_RATE_BYTES_PER_SECOND, type RateLimits } from '../../../protocols/pace/index.js'
import { parseSchedule } from '../../../protocols/pace/schedule.js'
import { CREDIT_BYTES } from '../../../protocols/transfer/index.js'
import * as records from '../../../protocols/transfer/stream/records.js'
import type { PeerNetwork } from '../../../protocols/wire/index.js'
import { tempDir } from '../../temp.js'
import { WatchedLimit } from '../watched-limit.js'
import { below, devicePair, type Pair, type Prepared, prepare } from './devices.js'
import { type HostileStream, hostileStream } from './hostile-sender.js'
import { tapped } from './tap.js'

const { CHUNK, CREDIT, GO, RECORD_OVERHEAD_BYTES } = records
const KIB = 1024
const MIB = 2 ** 20
/** What opens a stream and keeps it alive, and the heads of frames. */
const HEADS_BYTES = 8 * KIB
const film = randomBytes(4 * MIB)
const large = randomBytes(20 * MIB)

/** Real sockets. The limit is the receiver's alone, by a clock that stands still until it is moved. */
describe('a limit at the receiver', () => {
  let watched: WatchedLimit
  let pair: Pair
  let temp: ReturnType<typeof tempDir>
  let prepared: Prepared

  before(async () => {
    watched = await WatchedLimit.open()
    const timings = { idleMs: 60_000, rateWindowMs: 60_000, compressBelowBytesPerSecond: 0 }
    pair = await devicePair({ timings }, { pacing: watched.pacing() })
    const { network } = pair.sender.peer
    const open = network.open.bind(network)
    network.open = tapped({ open } as PeerNetwork, bytes => watched.sent(bytes)).open
  })
  after(async () => {
    await pair.stop()
    await watched.stop()
  })
  beforeEach(async () => {
    temp = tempDir()
    mkdirSync(below(temp.path, 'in'))
    writeFileSync(below(temp.path, 'film'), film)
    prepared = await prepare(pair, [below(temp.path, 'film')], below(temp.path, 'in'))
    watched.reset()
  })
  afterEach(async () => {
    await limit(undefined)
    await limit(undefined, { device: pair.sender.peer.id })
    temp.clean()
  })

  const limit = (down: number | undefined, how: Partial<Parameters<RateLimits['set']>[0]> = {}): Promise<void> =>
    watched.limits.set({ device: undefined, up: undefined, schedule: undefined, ...how, down })
  const arrived = (): Buffer => readFileSync(below(temp.path, 'in/film'))

  for (const [rate, windowBytes] of [
    [8 * KIB, 16 * KIB],
    [100 * KIB, 200 * KIB],
    [MIB, 2 * MIB]
  ] as const) {
    it(`of ${rate / KIB} KiB a second: no more than ${windowBytes / KIB} KiB are ahead of it, and all of it arrives`, async () => {
      await limit(rate)
      const work = Promise.all([
        pair.receiver.transfers.receive(prepared.receive),
        pair.sender.transfers.send(prepared.send)
      ])
      await watched.passing(work)
      const [, result] = await work
      assert.deepEqual(result.problems, [])
      assert.ok(watched.mostAhead <= windowBytes + HEADS_BYTES, `${watched.mostAhead} bytes ahead`)
      assert.ok(watched.mostAhead >= windowBytes / 2, `${watched.mostAhead} bytes ahead`)
      assert.ok(arrived().equals(film))
    })
  }

  it('that is lifted in the middle lets the rest come with all of the credit', async () => {
    writeFileSync(below(temp.path, 'film'), large)
    prepared = await prepare(pair, [below(temp.path, 'film')], below(temp.path, 'in'))
    await limit(100 * KIB)
    const work = Promise.all([
      pair.receiver.transfers.receive(prepared.receive),
      pair.sender.transfers.send(prepared.send)
    ])
    await watched.ahead(100 * KIB)
    assert.ok(watched.mostAhead <= 200 * KIB + HEADS_BYTES, `${watched.mostAhead} bytes ahead`)
    // Time stands still: it could never end. Some is let through, so that there is credit.
    let go = (): void => {}
    const over = new Promise<void>(resolve => {
      go = resolve
    })
    watched.hold = { fromBytes: watched.paidBytes + 100 * KIB, over }
    await limit(undefined)
    await watched.ahead(CREDIT_BYTES - MIB)
    go()
    await work
    assert.ok(watched.mostAhead <= CREDIT_BYTES + HEADS_BYTES, `${watched.mostAhead} bytes ahead`)
    assert.ok(arrived().equals(large))
  })

  describe('as a sender played by hand hears it', () => {
    async function begun(): Promise<{ stream: HostileStream; receiving: Promise<unknown>; kib: number }> {
      const receiving = pair.receiver.transfers.receive(prepared.receive)
      receiving.catch(() => {}) // told to who waits for it
      const stream = await hostileStream(pair, prepared)
      stream.begin()
      const { file } = await stream.answer(GO)
      return { stream, receiving, kib: file }
    }
    const piece = (stream: HostileStream, at: number, length: number): Uint8Array =>
      stream.content({ type: CHUNK, file: 0, offset: at, flags: 0 }, large.subarray(at, at + length))

    for (const [what, all, one, kib] of [
      ['none', undefined, undefined, 0],
      ['the least', 8 * KIB, undefined, 16],
      ['one for all', 100 * KIB, undefined, 200],
      ['the smaller one for all', 64 * KIB, 100 * KIB, 128],
      ['the smaller one for the device', 100 * KIB, 64 * KIB, 128],
      ['just under all of the credit', CREDIT_BYTES / 2 - KIB, undefined, 8190],
      ['all of the credit', CREDIT_BYTES / 2, undefined, 0],
      ['the largest', MAX_RATE_BYTES_PER_SECOND, undefined, 0]
    ] as const) {
      it(`is said with GO: ${what}`, async () => {
        await limit(all)
        await limit(one, { device: pair.sender.peer.id })
        const { stream, receiving, kib: told } = await begun()
        assert.equal(told, kib)
        stream.close()
        await limit(undefined)
        await limit(undefined, { device: pair.sender.peer.id })
        await pair.sender.transfers.send(prepared.send)
        await receiving
      })
    }

    it('is said with the next credit when it changes, by its hours or by hand', async () => {
      watched.clock.setWall(new Date('2026-03-04T07:59:00').getTime())
      await limit(100 * KIB, { schedule: parseSchedule('08:00-09:00') })
      const { stream, receiving, kib } = await begun()
      assert.equal(kib, 0)
      const told: number[] = []
      for (const [i, change] of [
        () => watched.clock.advance(60_000),
        () => limit(8 * KIB),
        () => limit(undefined),
        () => limit(200 * KIB)
      ].entries()) {
        await change()
        await watched.clock.advance(1_000) // what is owed is paid
        stream.raw(piece(stream, i * 1000, 1000))
        told.push((await stream.answer(CREDIT, i + 1)).file)
      }
      assert.deepEqual(told, [200, 16, 0, 400])
      stream.close()
      await limit(undefined)
      await pair.sender.transfers.send(prepared.send)
      await receiving
    })

    it('does not end one that knows of no windows, and sends all of the credit ahead; one byte more ends it', async () => {
      writeFileSync(below(temp.path, 'film'), large)
      prepared = await prepare(pair, [below(temp.path, 'film')], below(temp.path, 'in'))
      await limit(8 * KIB)
      const { stream, receiving, kib } = await begun()
      assert.equal(kib, 16)
      // Time stands still, so that nothing of it is consumed, but for the first frame, which is small.
      stream.raw(piece(stream, 0, 1))
      await stream.answer(CREDIT)
      const half = CREDIT_BYTES / 2 - RECORD_OVERHEAD_BYTES
      stream.raw(piece(stream, 1, half))
      stream.raw(piece(stream, 1 + half, half))
      await limit(undefined)
      assert.equal((await stream.answer(CREDIT, 3)).offset, 1 + 2 * half + 3 * RECORD_OVERHEAD_BYTES)
      await limit(8 * KIB)
      for (const length of [half, half, 1]) stream.raw(piece(stream, 1 + 2 * half, length))
      await stream.ended
      await limit(undefined)
      await pair.sender.transfers.send(prepared.send)
      await receiving
      assert.ok(arrived().equals(large))
    })
  })
})
