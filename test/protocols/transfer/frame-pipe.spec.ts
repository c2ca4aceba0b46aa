import assert from 'node:assert/strict'
import { streamPair } from '@libp2p/utils'
import { framePipe } from '../../../protocols/transfer/stream/frame-pipe.js'

describe('a pipe of frames', () => {
  it('on a stream that has ended already: told after the first word, not while it is said', async () => {
    const [ours] = await streamPair()
    ours.abort(new Error('the link is gone'))
    const told: (Error | undefined)[] = []
    const pipe = framePipe(ours, {
      ...{ maxFrameBytes: 1024, drainTimeoutMs: 1000 },
      onFrame() {},
      onEnd(err) {
        told.push(err)
      }
    })
    pipe.send(new Uint8Array(32))
    assert.equal(told.length, 0)
    await pipe.ended
    assert.match(told[0]?.message ?? '', /could not write to the stream/)
  })
})
