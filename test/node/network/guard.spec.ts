import assert from 'node:assert/strict'
import { yamux } from '@chainsafe/libp2p-yamux'
import type { MultiaddrConnection } from '@libp2p/interface'
import { multiaddrConnectionPair } from '@libp2p/utils'
import fc from 'fast-check'
import { frameWatch, guarded } from '../../../node/network/yamux-guard.js'

const SYN = 1
function frame(type: number, flags: number, stream: number, length: number, body = type === 0 ? length : 0): Buffer {
  const out = Buffer.alloc(12 + body)
  out.writeUInt8(type, 1)
  out.writeUInt16BE(flags, 2)
  out.writeUInt32BE(stream, 4)
  out.writeUInt32BE(length, 8)
  return out
}
const watch = (maxFrameBytes = 1024, onStream = () => true) => frameWatch({ maxFrameBytes, onStream })

describe('yamux guard', () => {
  it('a frame that claims 3 GiB is refused at its header, before a byte of it', () => {
    assert.match(watch()(frame(0, 0, 1, 3 * 2 ** 30, 0))!, /3221225472 bytes/)
  })
  it('the limit itself is let through, one byte more is not', () => {
    assert.equal(watch()(frame(0, 0, 1, 1024)), undefined)
    assert.match(watch()(frame(0, 0, 1, 1025, 0))!, /1025/)
  })
  it('the length of a window update or ping is a number, not bytes', () => {
    const w = watch()
    assert.equal(w(frame(1, 0, 1, 2 ** 31)), undefined)
    assert.equal(w(frame(2, SYN, 0, 2 ** 31)), undefined)
    assert.match(w(frame(0, 0, 1, 2048, 0))!, /2048/)
  })
  it('counts streams as they are opened, whichever frame opens them', () => {
    let opened = 0
    const w = watch(1024, () => ++opened <= 2)
    assert.equal(w(frame(1, SYN, 1, 0)), undefined)
    assert.equal(w(frame(0, SYN, 3, 5)), undefined)
    assert.equal(w(frame(2, SYN, 0, 5)), undefined)
    assert.match(w(frame(1, SYN, 5, 0))!, /streams/)
  })
  it('frames cut anywhere are followed as if they were whole', () => {
    const kinds = fc.array(fc.tuple(fc.constantFrom(0, 1, 2), fc.nat(900)), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(kinds, fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (list, cuts) => {
        const bytes = Buffer.concat([...list.map(([t, n]) => frame(t, 0, 1, n)), frame(0, 0, 1, 5000, 0)])
        const w = watch()
        let at = 0
        let i = 0
        let result: string | undefined
        while (at < bytes.length && result === undefined) {
          const n = cuts[i++ % cuts.length]!
          result = w(bytes.subarray(at, at + n))
          at += n
        }
        assert.match(result ?? '', /5000/)
        assert.ok(at >= bytes.length)
      })
    )
  })
  for (const [how, end] of [
    ['cut by the other side', (_ours, theirs) => theirs.abort(new Error('gone'))],
    ['cut by us', ours => ours.abort(new Error('enough'))],
    [
      'closed',
      async (ours, theirs) => {
        await theirs.close()
        await ours.close()
      }
    ]
  ] as [string, (ours: MultiaddrConnection, theirs: MultiaddrConnection) => unknown][]) {
    it(`a connection that was ${how} before its muxer was made gets none: nothing goes on pinging it`, async () => {
      const [ours, theirs] = multiaddrConnectionPair()
      const ended = new Promise(resolve => ours.addEventListener('close', resolve))
      await end(ours, theirs)
      await ended
      let made = 0
      const yamuxes = yamux()()
      const counting = {
        protocol: yamuxes.protocol,
        createStreamMuxer: (connection: MultiaddrConnection) => {
          made++
          return yamuxes.createStreamMuxer(connection)
        }
      }
      const factory = guarded(counting as never, () => ({ maxFrameBytes: 1024, onStream: () => true }))
      assert.throws(() => factory.createStreamMuxer(ours), { code: 'STREAM_CLOSED' })
      assert.equal(made, 0)
    })
  }
  it('cut while its connection is closed and it has not been told: nothing is thrown', async () => {
    const [ours, theirs] = multiaddrConnectionPair()
    let seen = 'open'
    const closed = new Promise<void>((resolve, reject) => {
      // Before the muxer hears of it.
      ours.addEventListener('close', () => {
        seen = muxer.status
        try {
          muxer.abort(new Error('the connection ended'))
          resolve()
        } catch (err) {
          reject(err)
        }
      })
    })
    const muxer = guarded(yamux()(), () => ({ maxFrameBytes: 1024, onStream: () => true })).createStreamMuxer(ours)
    theirs.abort(new Error('gone'))
    await closed
    assert.equal(seen, 'open')
    assert.equal(muxer.status, 'closed')
  })
})
