import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { Stream } from '@libp2p/interface'
import { CALL, PART, type ReplicaFrame, type SealedPipe, sealedPipe } from '../../../protocols/replica/sealed-pipe.js'
import { hasCode, systemRandom } from '../../../storage/base/index.js'
import { givePlace, PLACE_BYTES, takePlace } from '../../../sync/endpoints/index.js'
import { type ReplicaPair, replicaPair } from './fixture.js'

const PROTOCOL = '/test/places/1.0.0'
const MIB = 2 ** 20

describe('large content of a replica comes in places', () => {
  let pair: ReplicaPair
  before(async () => {
    pair = await replicaPair()
  })
  after(() => pair.stop())

  /** @param change - of the bytes on their way */
  async function sent(say: (pipe: SealedPipe) => void, change?: (bytes: Uint8Array) => Uint8Array) {
    const frames: ReplicaFrame[] = []
    const { server, driver } = pair
    const ended = new Promise<Error | undefined>(resolve => {
      void server.peer.network.handle(PROTOCOL, async (stream, peer) => {
        const pipe = sealedPipe({
          ...{ stream, peer, sharedType: CALL, onFrame: frame => void frames.push(frame), onEnd: resolve }
        })
        await ended
        await pipe.close()
      })
    })
    const { stream, peer } = await driver.peer.network.open(server.peer.id, PROTOCOL)
    const pipe = sealedPipe({
      ...{ stream: change === undefined ? stream : changed(stream, change), peer, random: systemRandom },
      ...{ compressBelowBytesPerSecond: 0, onFrame() {}, onEnd() {} }
    })
    say(pipe)
    await pipe.close()
    const error = await ended
    await server.peer.network.unhandle(PROTOCOL)
    return { frames, error }
  }

  it('as it was sent, each in its own; small content, and what may not be shared, in memory of its own', async () => {
    const [large, other, small] = [randomBytes(MIB), randomBytes(PLACE_BYTES - 100), randomBytes(1_000)]
    const { frames, error } = await sent(pipe => {
      pipe.send(CALL, 1, { name: 'append' }, [large])
      pipe.send(CALL, 2, { name: 'append' }, [other.subarray(0, 9), other.subarray(9)])
      pipe.send(CALL, 3, { name: 'append' }, [small])
      pipe.send(PART, 4, { n: 4 }, [large])
      pipe.send(CALL, 5, { name: 'append' }, [randomBytes(2 * PLACE_BYTES)])
    })
    assert.equal(error, undefined)
    for (const [i, content] of [large, other, small, large].entries()) assert.ok(content.equals(frames[i]!.data))
    assert.deepEqual(
      frames.map(({ data }) => data.buffer instanceof SharedArrayBuffer),
      [true, true, false, false, false]
    )
    assert.equal(new Set(frames.map(({ data }) => data.buffer)).size, frames.length)
    for (const { values } of frames) assert.ok(values.buffer instanceof ArrayBuffer)
    for (const { data } of frames) givePlace(data.buffer)
  })

  for (const [what, change] of [
    ['that was changed on the way', (bytes: Uint8Array) => flipped(bytes, bytes.length - 1)],
    ['whose head was changed on the way', (bytes: Uint8Array) => flipped(bytes, 12)],
    ['that comes a second time', (bytes: Uint8Array) => Buffer.concat([bytes, bytes])]
  ] as const) {
    it(`content ${what} ends the stream, and nothing of it is told`, async () => {
      const place = takePlace()
      givePlace(place)
      const { frames, error } = await sent(
        pipe => pipe.send(CALL, 1, { name: 'append' }, [randomBytes(MIB)]),
        bytes => (bytes.length > MIB ? change(bytes) : bytes)
      )
      assert.ok(hasCode(error, 'MALFORMED'), String(error))
      assert.ok(frames.length === (what === 'that comes a second time' ? 1 : 0))
      for (const { data } of frames) givePlace(data.buffer)
      // The place was given back.
      const free = Array.from({ length: 12 }, takePlace)
      assert.ok(free.includes(place))
      for (const one of free) givePlace(one)
    })
  }

  it('content that is cut off is told by nobody', async () => {
    const { frames, error } = await sent(
      pipe => pipe.send(CALL, 1, { name: 'append' }, [randomBytes(MIB)]),
      bytes => (bytes.length > MIB ? bytes.subarray(0, MIB / 2) : bytes)
    )
    assert.ok(hasCode(error, 'TRUNCATED'), String(error))
    assert.deepEqual(frames, [])
  })
})

const flipped = (bytes: Uint8Array, at: number): Uint8Array => {
  const other = Uint8Array.from(bytes)
  other[at]! ^= 1
  return other
}

/** A stream whose frames are changed on their way, each as a whole; the salt comes before them. */
function changed(stream: Stream, change: (bytes: Uint8Array) => Uint8Array): Stream {
  let frame = Buffer.alloc(0)
  let isSalt = true
  const send = (slice: Uint8Array): boolean => {
    if (isSalt) {
      isSalt = false
      return stream.send(slice)
    }
    frame = Buffer.concat([frame, slice])
    if (frame.length < 4 || frame.length < 4 + frame.readUInt32BE()) return true
    const whole = frame
    frame = Buffer.alloc(0)
    return stream.send(change(whole))
  }
  return new Proxy(stream, {
    get(target, key) {
      const value = Reflect.get(target, key, target)
      if (key === 'send') return send
      return typeof value === 'function' ? value.bind(target) : value
    }
  })
}
