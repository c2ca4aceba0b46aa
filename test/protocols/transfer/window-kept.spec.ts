import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { CREDIT_BYTES, MIN_PIECE_BYTES } from '../../../protocols/transfer/index.js'
import * as records from '../../../protocols/transfer/stream/records.js'
import { below } from './devices.js'
import { type AnsweredStream, hostileReceiver } from './hostile-receiver.js'
import { sendingTo } from './sending-to.js'

const { BUSY, CHUNK, COMPLETE, CREDIT, DONE, GO, PACK, RECORD_OVERHEAD_BYTES } = records
const KIB = 1024

/** A receiver played by hand, which gives credit as it likes. */
class Receiver {
  credited = 0
  readonly #stream: AnsweredStream

  constructor(stream: AnsweredStream) {
    this.#stream = stream
  }

  get content(): readonly records.OpenRecord[] {
    return this.#stream.came.filter(r => records.senderChannel(r.type) === 'content')
  }

  get came(): number {
    return this.content.reduce((sum, { payload }) => sum + RECORD_OVERHEAD_BYTES + payload.length, 0)
  }

  /** Lets the sender begin. */
  go(kib: number): void {
    this.#stream.raw(this.#stream.account({ type: GO, file: kib }))
  }

  /** Says that all that came was consumed. */
  credit(kib: number): void {
    this.credited = this.came
    this.#stream.raw(this.#stream.account({ type: CREDIT, file: kib, offset: this.credited }))
  }

  /** Waits until no further frame fits into the window, and the sender has nothing to say any more. @returns frames on their way */
  async full(windowBytes: number): Promise<number> {
    const before = this.content.length
    const nextBytes = Math.min(Math.max(windowBytes / 4, MIN_PIECE_BYTES), 2 ** 20) + RECORD_OVERHEAD_BYTES
    while (this.content.length === before || this.came - this.credited + nextBytes <= windowBytes)
      await this.#stream.saw(CHUNK, this.#count(CHUNK) + 1)
    await this.#stream.saw(BUSY, this.#count(BUSY) + 1)
    return this.content.length - before
  }

  /** Gives credit for each frame until the sender went through everything. */
  async rest(kib: number): Promise<void> {
    for (let n = this.content.length; this.#count(DONE) === 0; n = this.content.length) {
      if (this.came > this.credited) this.credit(kib)
      while (this.content.length === n) await this.#stream.more()
    }
  }

  end(files: number, bytes: number): void {
    this.#stream.raw(this.#stream.answer(COMPLETE, { files, bytes, problemCount: 0, problems: [] }))
  }

  #count(type: number): number {
    return this.#stream.came.filter(r => r.type === type).length
  }
}

describe('a sender that is told a window', () => {
  // It says BUSY when nothing more goes: that is how a test knows.
  const ends = sendingTo({
    ...{ headerMs: 60_000, idleMs: 60_000, busyMs: 200, drainMs: 60_000, compressBelowBytesPerSecond: 0 }
  })

  async function send(path: string, play: (receiver: Receiver) => Promise<void>): Promise<void> {
    let failed: unknown
    let streams = 0
    await hostileReceiver(ends.receiver, async stream => {
      streams++
      try {
        await play(new Receiver(stream))
      } catch (err) {
        failed ??= err
        stop.abort(err)
      }
    })
    const stop = new AbortController()
    await ends.send(path, { signal: stop.signal })
    assert.equal(failed, undefined)
    assert.equal(streams, 1)
  }

  describe('with a large file', () => {
    const film = randomBytes(20 * 2 ** 20)

    for (const [kib, next] of [
      [1, 16],
      [16, 200],
      [200, 0],
      [200, 400],
      [400, 200],
      [8191, 8192],
      [8192, 1],
      [0, 16]
    ] as const) {
      const [windowBytes, nextBytes] = [kib, next].map(k => k * KIB || CREDIT_BYTES) as [number, number]
      it(`has ${kib} KiB on its way, then ${next} KiB; all of it arrives`, async () => {
        writeFileSync(below(ends.dir, 'film'), film)
        await send('film', async received => {
          received.go(kib)
          const first = await received.full(windowBytes)
          assert.ok(first === 1 || received.came <= windowBytes, `${first} frames, ${received.came} bytes`)
          const longest = Math.max(...received.content.map(({ length }) => length))
          assert.ok(longest <= Math.max(windowBytes, MIN_PIECE_BYTES), `a piece of ${longest} bytes`)
          received.credit(next)
          const then = await received.full(nextBytes)
          const onTheWay = received.came - received.credited
          assert.ok(then === 1 || onTheWay <= nextBytes, `${then} frames, ${onTheWay} bytes`)
          await received.rest(0)
          const chunks = received.content.filter(({ type }) => type === CHUNK)
          assert.ok(Buffer.concat(chunks.map(({ payload }) => payload)).equals(film))
          assert.deepEqual(
            chunks.map(({ offset, flags }) => [offset, flags]),
            chunks.map(({ offset, length }) => [offset, offset + length === film.length ? records.FLAG_LAST : 0])
          )
          received.end(1, film.length)
        })
      })
    }

    it('says a hole by its length alone, in a small window as in a large one', async () => {
      writeFileSync(below(ends.dir, 'hole'), Buffer.alloc(20 * 2 ** 20))
      await send('hole', async received => {
        received.go(16)
        await received.rest(16)
        assert.equal(received.content.filter(({ type }) => type === CHUNK).length, 20)
        received.end(1, 20 * 2 ** 20)
      })
    })
  })

  for (const kib of [1, 16, 200, 0]) {
    it(`packs small files within ${kib} KiB, and one that is larger goes whole`, async () => {
      const sizes = [...Array.from({ length: 400 }, (_, i) => 1 + ((i * 37) % 3000)), 10_000, 500 * KIB, 5_000, 15_000]
      mkdirSync(below(ends.dir, 't'))
      for (const [i, size] of sizes.entries())
        writeFileSync(below(ends.dir, `t/${String(i).padStart(4, '0')}`), randomBytes(size))
      await send('t', async received => {
        received.go(kib)
        await received.rest(kib)
        const packs = received.content.filter(({ type }) => type === PACK)
        const most = Math.max(kib * KIB || CREDIT_BYTES, MIN_PIECE_BYTES)
        for (const { file, length } of packs)
          assert.ok(file === 1 || length <= most, `a pack of ${file} files, ${length} bytes`)
        assert.equal(
          packs.reduce((sum, { file }) => sum + file, 0),
          sizes.length
        )
        if (kib === 0) assert.ok(packs.length <= 2, `${packs.length} packs`)
        if (kib === 16) assert.ok(packs.length < 60, `${packs.length} packs`)
        const bytes = sizes.reduce((sum, size) => sum + size, 0)
        received.end(sizes.length, bytes)
      })
    })
  }
})
