import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { Stream } from '@libp2p/interface'
import { streamPair } from '@libp2p/utils'
import fc from 'fast-check'
import { type FramePace, FrameQueue } from '../../../protocols/transfer/stream/frame-queue.js'

/** Turns of the event loop. */
async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise(resolve => setImmediate(resolve))
}

/** A stream that takes everything. @returns what it was given, in pieces */
function takes(): { stream: Stream; given: Buffer[] } {
  const given: Buffer[] = []
  const stream = {
    send(bytes: Uint8Array) {
      given.push(Buffer.from(bytes))
      return true
    }
  }
  return { stream: stream as unknown as Stream, given }
}

/** A limit at which somebody lets go on by hand. */
function limit(sliceBytes: number) {
  const waiting: (() => void)[] = []
  const asked: number[] = []
  const state: { sliceBytes: number | undefined } = { sliceBytes }
  const pace: FramePace = {
    get sliceBytes() {
      return state.sliceBytes
    },
    take(bytes) {
      asked.push(bytes)
      return new Promise(resolve => waiting.push(resolve))
    }
  }
  return { pace, asked, state, letGo: () => waiting.shift()?.() }
}

const base = { drainTimeoutMs: 1_000, isEnded: () => false, onFailed: (err: unknown) => assert.fail(String(err)) }

describe('what waits to go out', () => {
  it('of content goes in slices under a limit, everything in its order and whole', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ bytes: fc.uint8Array({ minLength: 1, maxLength: 64 }), content: fc.boolean() })),
        fc.integer({ min: 1, max: 70 }),
        async (frames, slice) => {
          const { stream, given } = takes()
          const { pace, asked, letGo } = limit(slice)
          const queue = new FrameQueue(stream, { ...base, pace })
          const gone: number[] = []
          for (const [i, frame] of frames.entries()) queue.add({ ...frame, gone: () => gone.push(i) })
          for (let i = 0; i < 2 * frames.reduce((sum, { bytes }) => sum + bytes.length, 1); i++) {
            letGo()
            await undefined
            await undefined
          }
          await queue.sent
          assert.ok(Buffer.concat(given).equals(Buffer.concat(frames.map(({ bytes }) => bytes))))
          assert.ok(asked.every(bytes => bytes <= slice))
          const paid = frames.filter(({ content }) => content).reduce((sum, { bytes }) => sum + bytes.length, 0)
          assert.equal(
            asked.reduce((a, b) => a + b, 0),
            paid
          )
          assert.deepEqual(gone, [...frames.keys()])
          assert.equal(queue.bytesOut, Buffer.concat(given).length)
        }
      ),
      { numRuns: 50 }
    )
  })

  it('lets a question out after one frame of content, however many wait; without a limit nothing waits', async () => {
    const { stream, given } = takes()
    const { pace, state, letGo } = limit(4)
    const queue = new FrameQueue(stream, { ...base, pace })
    const content = (letter: string): void =>
      queue.whenClear(() => queue.add({ bytes: Buffer.from(letter.repeat(8)), content: true }))
    for (const letter of 'abc') content(letter)
    queue.add({ bytes: Buffer.from('?') })
    for (let i = 0; i < 2; i++) {
      letGo()
      await turns(2)
    }
    assert.equal(Buffer.concat(given).toString(), 'aaaaaaaa?')
    state.sliceBytes = undefined
    letGo() // what waits for a limit that is gone is let go by it
    await turns(2)
    assert.equal(Buffer.concat(given).toString(), 'aaaaaaaa?bbbbbbbbcccccccc')
  })

  it('is told of the end where it waits', async () => {
    const { stream } = takes()
    const { pace } = limit(4)
    const queue = new FrameQueue(stream, { ...base, pace })
    let told = 0
    for (let i = 0; i < 3; i++)
      queue.whenClear(() => {
        told++
        if (told === 1) queue.add({ bytes: Buffer.from('content'), content: true })
      })
    assert.equal(told, 1)
    queue.end()
    assert.equal(told, 3)
  })

  it('goes to a link that takes it slowly in ever smaller pieces, so that the other side sees that it comes', async () => {
    const bytes = randomBytes(4 * 1024 * 1024)
    // 64 KiB a second behind 1 MiB that the system takes at once.
    const [ours, theirs] = await streamPair({ delay: 0 })
    const sizes: number[] = []
    const send = ours.send.bind(ours)
    let now = 0
    const real = performance.now.bind(performance)
    performance.now = () => now
    ours.send = piece => {
      sizes.push(piece.byteLength)
      if (sizes.reduce((a, b) => a + b, 0) > 1024 * 1024) now += piece.byteLength / 64
      return send(piece)
    }
    const came: Uint8Array[] = []
    theirs.addEventListener('message', ({ data }) => came.push(data.subarray()))
    const queue = new FrameQueue(ours, base)
    try {
      queue.add({ bytes })
      await queue.sent
      await turns(20)
    } finally {
      performance.now = real
    }
    assert.ok(Buffer.concat(came).equals(bytes))
    assert.ok(Math.max(...sizes) <= 128 * 1024, `pieces of ${sizes.join()}`)
    assert.ok(sizes.at(-1)! <= 64 * 1024)
    ours.abort(new Error('done'))
  })

  it('goes to a link that takes it quickly as it is, once that has shown', async () => {
    const { stream, given } = takes()
    const queue = new FrameQueue(stream, base)
    for (let i = 0; i < 20; i++) queue.add({ bytes: randomBytes(1024 * 1024) })
    await queue.sent
    assert.equal(given.at(-1)!.length, 1024 * 1024)
  })
})
