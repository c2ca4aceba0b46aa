import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { brotliCompressSync } from 'node:zlib'
import type { Stream } from '@libp2p/interface'
import { MAX_REPLICA_FRAME_BYTES } from '../../../protocols/replica/index.js'
import {
  ALIVE,
  CALL,
  PART,
  RESULT,
  type ReplicaFrame,
  type SealedPipe,
  sealedPipe
} from '../../../protocols/replica/sealed-pipe.js'
import { expand, FLAG_BROTLI, Opener, RECORD_OVERHEAD_BYTES, Sealer } from '../../../protocols/transfer/index.js'
import { systemRandom } from '../../../storage/base/index.js'
import { type ReplicaPair, replicaPair } from './fixture.js'

const PROTOCOL = '/test/compression/1.0.0'
const text = Buffer.from('a line of words that comes again and again, '.repeat(30_000))

describe('content of a replica, compressed', () => {
  let pair: ReplicaPair
  before(async () => {
    pair = await replicaPair()
  })
  after(() => pair.stop())

  /** What arrives at the other end, frame by frame, and how many bytes it took. */
  async function sent(compressBelowBytesPerSecond: number, say: (pipe: SealedPipe) => void) {
    const frames: ReplicaFrame[] = []
    let wire = 0
    const { server, driver } = pair
    const ended = new Promise<void>((resolve, reject) => {
      void server.peer.network.handle(PROTOCOL, async (stream, peer) => {
        const pipe = sealedPipe({
          ...{ stream, peer, onFrame: frame => void frames.push(frame) },
          onEnd: err => (err === undefined ? resolve() : reject(err))
        })
        await ended.catch(() => {})
        await pipe.close()
      })
    })
    const { stream, peer } = await driver.peer.network.open(server.peer.id, PROTOCOL)
    const pipe = sealedPipe({
      ...{ stream: counted(stream, n => (wire += n)), peer, random: systemRandom, compressBelowBytesPerSecond },
      ...{ onFrame() {}, onEnd() {} }
    })
    say(pipe)
    await pipe.close()
    await ended
    await server.peer.network.unhandle(PROTOCOL)
    return { frames, wire }
  }

  it('arrives as it was, in less where that pays; what carries none is left alone', async () => {
    const noise = randomBytes(300_000)
    const { frames, wire } = await sent(Number.POSITIVE_INFINITY, pipe => {
      pipe.send(CALL, 1, { name: 'append', input: {} }, [text.subarray(0, 7), text.subarray(7)])
      pipe.send(CALL, 2, { name: 'append', input: {} }, [noise])
      pipe.send(ALIVE, 0, undefined)
      pipe.send(PART, 3, { n: 3 }, [text])
      pipe.send(RESULT, 4, { n: 4 }, [text])
    })
    assert.deepEqual(
      frames.map(({ type, call }) => [type, call]),
      [
        [CALL, 1],
        [CALL, 2],
        [ALIVE, 0],
        [PART, 3],
        [RESULT, 4]
      ]
    )
    const [first, second, , third, fourth] = frames
    for (const frame of [first, third, fourth]) assert.ok(text.equals(frame!.data))
    assert.ok(noise.equals(second!.data))
    // Handed on to workers: each is alone in its memory.
    for (const { data } of frames) assert.equal(data.buffer.byteLength, data.length)
    assert.ok(wire < noise.length + text.length / 10, `${wire} bytes`)
  })

  it('is left as it is on a link that nobody knows to be slow', async () => {
    const { wire } = await sent(Number.MAX_VALUE, pipe => pipe.send(PART, 1, {}, [text]))
    assert.ok(wire > text.length)
  })

  it('holds what it says, no more than a frame may, and comes only in types that bring content', () => {
    const key = randomBytes(32)
    const label = Buffer.from('label')
    const sealed = (type: number, length: number, content: Uint8Array): Uint8Array => {
      const payload = brotliCompressSync(content)
      const frame = new Sealer(key, label).seal({ type, flags: FLAG_BROTLI, file: 1, offset: 0, length }, payload)
      assert.equal(frame.length, payload.length + RECORD_OVERHEAD_BYTES)
      return frame.subarray(4)
    }
    const open = (frame: Uint8Array): Uint8Array =>
      expand(new Opener(key, label, new Set([PART])).open(frame), MAX_REPLICA_FRAME_BYTES).payload
    assert.ok(text.equals(open(sealed(PART, text.length, text))))
    const largest = Buffer.alloc(MAX_REPLICA_FRAME_BYTES)
    assert.equal(open(sealed(PART, largest.length, largest)).length, largest.length)
    for (const frame of [
      sealed(PART, text.length - 1, text),
      sealed(PART, text.length + 1, text),
      sealed(PART, largest.length + 1, Buffer.alloc(largest.length + 1)),
      sealed(ALIVE, text.length, text)
    ]) {
      assert.throws(() => open(frame), { code: 'MALFORMED' })
    }
  })
})

/** The stream, with what goes out counted. */
function counted(stream: Stream, onBytes: (bytes: number) => void): Stream {
  const send = stream.send.bind(stream)
  stream.send = data => {
    onBytes(data.byteLength)
    return send(data)
  }
  return stream
}
