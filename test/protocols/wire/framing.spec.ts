import assert from 'node:assert/strict'
import type { Stream } from '@libp2p/interface'
import { streamPair } from '@libp2p/utils'
import fc from 'fast-check'
import { type FrameStream, frameStream } from '../../../protocols/wire/index.js'

async function pair(
  maxFrameBytes = 1024,
  maxQueuedBytes?: number
): Promise<{ a: FrameStream; b: FrameStream; raw: Stream }> {
  const [out, inn] = await streamPair()
  const init = maxQueuedBytes === undefined ? { maxFrameBytes } : { maxFrameBytes, maxQueuedBytes }
  return { a: frameStream(out, init), b: frameStream(inn, init), raw: out }
}

const header = (length: number): Uint8Array => {
  const h = new Uint8Array(4)
  new DataView(h.buffer).setUint32(0, length)
  return h
}

describe('frameStream', () => {
  it('frames come out as they went in, whatever way the stream cuts them', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 }),
        fc.integer({ min: 1, max: 64 }),
        async (list, cut) => {
          const [out, inn] = await streamPair()
          const reader = frameStream(inn, { maxFrameBytes: 300 })
          const whole = Buffer.concat(list.flatMap(f => [header(f.length), f]))
          for (let i = 0; i < whole.length; i += cut) out.send(new Uint8Array(whole.subarray(i, i + cut)))
          await out.close()
          for (const f of list) assert.deepEqual(new Uint8Array((await reader.read())!), f)
          assert.equal(await reader.read(), undefined)
          reader.abort(new Error('done'))
        }
      ),
      { numRuns: 40 }
    )
  })

  it('a frame of exactly the limit passes, one byte more is refused before it is read', async () => {
    const { a, b, raw } = await pair(1024)
    await a.write(new Uint8Array(1024))
    assert.equal((await b.read())?.length, 1024)
    await assert.rejects(a.write(new Uint8Array(1025)), { code: 'FRAME_TOO_LARGE' })
    raw.send(header(1025))
    await assert.rejects(b.read(), { code: 'FRAME_TOO_LARGE' })
  })

  it('a claim of 4 GiB allocates nothing', async () => {
    const { b, raw } = await pair()
    const before = process.memoryUsage().arrayBuffers
    raw.send(header(2 ** 32 - 1))
    await assert.rejects(b.read(), { code: 'FRAME_TOO_LARGE' })
    assert.ok(process.memoryUsage().arrayBuffers - before < 2 ** 20)
  })

  it('more than may wait unread ends the stream', async () => {
    const { b, raw } = await pair(1024, 8 * 1024)
    for (let i = 0; i < 10; i++) {
      raw.send(header(1024))
      raw.send(new Uint8Array(1024))
    }
    await assert.rejects(
      async () => {
        // What arrived before the flood was noticed may still be read.
        for (;;) {
          await new Promise(resolve => setImmediate(resolve))
          if (b.stream.status === 'aborted') {
            for (;;) if ((await b.read()) === undefined) break
          }
        }
      },
      { code: 'FLOODED' }
    )
  })

  it('a flood of empty frames counts as well', async () => {
    const { b, raw } = await pair(1024, 1024)
    raw.send(new Uint8Array(4 * 400))
    await assert.rejects(
      async () => {
        while ((await b.read()) !== undefined) await new Promise(resolve => setImmediate(resolve))
      },
      { code: 'FLOODED' }
    )
  })

  it('an end in the middle of a frame is told from an end between frames', async () => {
    const { b, raw } = await pair()
    raw.send(header(10))
    raw.send(new Uint8Array(3))
    await raw.close()
    await assert.rejects(b.read(), { code: 'TRUNCATED' })
  })

  it('a silent peer runs into the deadline, and the stream can still be read after it', async () => {
    const { a, b } = await pair()
    await assert.rejects(b.read({ timeoutMs: 5 }), { code: 'TIMEOUT' })
    await a.write(new Uint8Array([1]))
    assert.deepEqual(await b.read(), new Uint8Array([1]))
  })

  it('an abort rejects a waiting read with the reason itself', async () => {
    const { b } = await pair()
    const controller = new AbortController()
    const reason = new Error('enough')
    const reading = b.read({ signal: controller.signal })
    controller.abort(reason)
    await assert.rejects(reading, reason)
  })

  it('a reset by the peer fails a waiting read', async () => {
    const { a, b } = await pair()
    const reading = b.read()
    a.abort(new Error('gone'))
    await assert.rejects(reading, { code: 'STREAM_CLOSED' })
  })
})
