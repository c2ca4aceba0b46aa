import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { daemonClient } from '../../../node/client/index.js'
import { MAX_EVENT_LISTENERS } from '../../../node/daemon/index.js'
import type { SpacedriveError } from '../../../storage/base/index.js'
import { type ServedApi, servedApi } from './served-api.js'

describe('the events of the API', () => {
  let served: ServedApi
  servedApi(api => {
    served = api
  })

  it('events come as lines, those that were asked for, from the moment of the answer', async () => {
    const client = daemonClient(served.dir)
    const stop = new AbortController()
    const all = await client.events([], { signal: stop.signal })
    const some = await client.events(['network:*', 'job:paused'], { signal: stop.signal })
    served.peer.events.emit('device:renamed', { device: 'd', name: 'a \u2028 b' })
    served.peer.events.emit('network:started', { listening: [] })
    served.peer.events.emit('job:paused', { job: 'j', kind: 'k' })
    const first = (await all.next()).value
    assert.deepEqual([first.type, (first as { name: string }).name], ['device:renamed', 'a \u2028 b'])
    assert.deepEqual(
      [(await some.next()).value.type, (await some.next()).value.type],
      ['network:started', 'job:paused']
    )
    stop.abort(new Error('done'))
    await assert.rejects(some.next(), /done/)
  })

  it(`${MAX_EVENT_LISTENERS} listen to the events, one more is refused, and a place comes free again`, async () => {
    const client = daemonClient(served.dir)
    const stops = Array.from({ length: MAX_EVENT_LISTENERS }, () => new AbortController())
    await Promise.all(stops.map(stop => client.events([], { signal: stop.signal })))
    await assert.rejects(client.events(), { code: 'TOO_MANY_CALLS' })
    for (const stop of stops) stop.abort()
    const last = new AbortController()
    for (;;) {
      try {
        await client.events([], { signal: last.signal })
        break
      } catch (err) {
        assert.equal((err as SpacedriveError).code, 'TOO_MANY_CALLS')
      }
    }
    last.abort()
  })

  it('a listener that does not read is let go; the others go on', async () => {
    const deaf = connect(served.socketPath)
    deaf.write('GET /v1/events HTTP/1.1\r\nhost: x\r\n\r\n')
    deaf.pause()
    const client = daemonClient(served.dir)
    const stop = new AbortController()
    const closed = once(deaf, 'close')
    deaf.on('error', () => {})
    // Both listen once a later caller is answered: connections are taken in order.
    const events = await client.events(['device:renamed'], { signal: stop.signal })
    const name = 'x'.repeat(64 * 1024)
    for (let i = 0; i < 200; i++) served.peer.events.emit('message:received', { message: name, device: 'd', kind: 'k' })
    served.peer.events.emit('device:renamed', { device: 'd' })
    assert.equal((await events.next()).value.type, 'device:renamed')
    deaf.resume()
    await closed
    stop.abort()
  })
})
