import assert from 'node:assert/strict'
import { setMaxListeners } from 'node:events'
import { type Messaging, messagingLimits, type ReceivedMessage } from '../../../protocols/messaging/index.js'
import type { MessageId } from '../../../storage/base/index.js'
import { tempDir } from '../../temp.js'
import { WAIT_MS } from '../../waits.js'
import { loopNetwork } from '../loop-network.js'
import { type MessagingPeer, messagingPeer } from './peers.js'

/** Longer than anything here takes on a busy machine. */

describe('messaging', () => {
  const dirs = [tempDir(), tempDir()] as const
  const received: ReceivedMessage[] = []
  let heard: (() => void) | undefined
  let a: MessagingPeer
  let b: MessagingPeer

  const prepareB = (m: Messaging): void => {
    m.handle('note', {
      message: message => {
        received.push(message)
        heard?.()
      }
    })
    m.handle('sum', {
      request: body => ({ sum: (body as { of: number[] }).of.reduce((x, y) => x + y, 0) })
    })
    m.handle('slow', {
      request: (_body, { signal }) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    })
    m.handle('broken', {
      request: () => {
        throw new Error('a path /home/secret')
      }
    })
  }
  /** Resolves when b has handled `count` notes since the last call. */
  const notes = async (count: number): Promise<readonly ReceivedMessage[]> => {
    while (received.length < count) await new Promise<void>(resolve => (heard = resolve))
    return received.splice(0)
  }

  before(async () => {
    a = await messagingPeer(dirs[0].path)
    b = await messagingPeer(dirs[1].path, { prepare: prepareB })
    await a.network.connect(b.network)
  })
  after(async () => {
    await a.stop()
    await b.stop()
    for (const d of dirs) d.clean()
  })

  it('a text arrives, is unread until it was looked at, and both sides keep it', async () => {
    const arrived = b.once('message:received')
    const id = await a.messages.sendText(b.device, 'hello \u001b[31m there')
    assert.equal(await a.messages.settled(id, WAIT_MS), 'delivered')
    assert.equal((await arrived).message, id)
    assert.equal(b.messages.unreadTexts(), 1)
    const [text] = (await b.messages.texts({ unread: true, limit: 10 })).texts
    assert.deepEqual([text?.text, text?.device, text?.state], ['hello \u001b[31m there', a.device, 'unread'])
    assert.equal(b.messages.unreadTexts(), 0)
    assert.deepEqual((await b.messages.texts({ unread: true, limit: 10 })).texts, [])
    assert.equal((await b.messages.texts({ limit: 10 })).texts[0]?.state, 'read')
    assert.equal((await a.messages.texts({ limit: 10 })).texts[0]?.state, 'delivered')
  })

  it('messages keep their order', async () => {
    for (let i = 0; i < 40; i++) await a.messages.post(b.device, 'note', { i })
    const got = await notes(40)
    assert.deepEqual(
      got.map(m => (m.body as { i: number }).i),
      Array.from({ length: 40 }, (_, i) => i)
    )
  })

  it('a request is answered', async () => {
    assert.deepEqual(await a.messages.request(b.device, 'sum', { of: [1, 2, 39] }), { sum: 42 })
  })

  it('a request past its deadline fails with TIMEOUT and the stream goes on', async () => {
    await assert.rejects(a.messages.request(b.device, 'slow', null, { deadlineMs: 50 }), { code: 'TIMEOUT' })
    assert.deepEqual(await a.messages.request(b.device, 'sum', { of: [1] }), { sum: 1 })
  })

  it('an aborted request rejects with the reason and is cancelled there', async () => {
    const controller = new AbortController()
    const reason = new Error('no longer wanted')
    const asked = a.messages.request(b.device, 'slow', null, { signal: controller.signal, deadlineMs: 60_000 })
    await a.messages.request(b.device, 'sum', { of: [] }) // the one before has left
    controller.abort(reason)
    await assert.rejects(asked, (err: unknown) => err === reason)
    assert.deepEqual(await a.messages.request(b.device, 'sum', { of: [2] }), { sum: 2 })
  })

  it('what goes wrong inside a handler is not told', async () => {
    await assert.rejects(a.messages.request(b.device, 'broken', null), (err: { code: string; message: string }) => {
      assert.equal(err.code, 'INTERNAL')
      assert.doesNotMatch(err.message, /secret/)
      return true
    })
  })

  it('an unknown kind gets a typed error; a kept message of it is refused for good', async () => {
    await assert.rejects(a.messages.request(b.device, 'nobody.knows', null), { code: 'UNKNOWN_TYPE' })
    assert.equal(await a.messages.notify(b.device, 'nobody.knows', null), false)
    const failed = a.once('message:failed')
    const id = await a.messages.post(b.device, 'nobody.knows', {})
    assert.equal(await a.messages.settled(id, WAIT_MS), 'refused')
    assert.equal((await failed).code, 'UNKNOWN_TYPE')
  })

  it('more requests at once than run there at once: the rest gets TOO_MANY', async () => {
    const controller = new AbortController()
    setMaxListeners(0, controller.signal)
    const all = Array.from({ length: messagingLimits.MAX_REQUESTS_RUNNING + 1 }, () =>
      a.messages.request(b.device, 'slow', null, { signal: controller.signal, deadlineMs: 60_000 })
    )
    const first = await Promise.race(all.map((p, i) => p.then(() => i).catch((err: { code: string }) => err.code)))
    assert.equal(first, 'TOO_MANY')
    controller.abort(new Error('done'))
    await Promise.allSettled(all)
  })

  it('bodies: the largest passes, one byte more is TOO_LARGE; what is not JSON is refused', async () => {
    const room = messagingLimits.MAX_BODY_BYTES - 'text'.length - 1 - 3 - 1
    const id = await a.messages.sendText(b.device, 'x'.repeat(room))
    assert.equal(await a.messages.settled(id, WAIT_MS), 'delivered')
    await assert.rejects(a.messages.sendText(b.device, 'x'.repeat(room + 1)), { code: 'TOO_LARGE' })
    await assert.rejects(a.messages.post(b.device, 'note', { n: 1n }), TypeError)
    await assert.rejects(a.messages.post(b.device, 'note', JSON.parse('{"__proto__":1}')), TypeError)
    assert.throws(() => a.messages.sendText(b.device, ''), { code: 'EMPTY' })
  })

  it('presence: a connected device is available, and says when it stops', async () => {
    assert.equal(b.messages.presence(a.device)?.state, 'available')
    const dir = tempDir()
    const c = await messagingPeer(dir.path)
    await c.network.connect(b.network)
    await c.stop()
    assert.equal(b.messages.presence(c.device)?.state, 'stopping')
    dir.clean()
  })

  it('a device that is not paired gets nothing', async () => {
    a.unpaired.add('12D3KooWStranger' as never)
    await assert.rejects(a.messages.post('12D3KooWStranger' as never, 'note', 1), { code: 'NOT_PAIRED' })
  })
})

describe('the outbox', () => {
  it('waits for a device that is away, over restarts of both, and delivers once in order', async () => {
    const dirs = [tempDir(), tempDir()] as const
    const networks = [await loopNetwork(), await loopNetwork()] as const
    let a = await messagingPeer(dirs[0].path, { network: networks[0] })
    const device = networks[1].localDevice
    const ids: MessageId[] = []
    for (let i = 0; i < 5; i++) ids.push(await a.messages.sendText(device, `text ${i}`))
    await a.stop()
    a = await messagingPeer(dirs[0].path, { network: networks[0] })
    let b = await messagingPeer(dirs[1].path, { network: networks[1] })
    await networks[0].connect(networks[1])
    assert.equal(await a.messages.settled(ids[4]!, WAIT_MS), 'delivered')
    await b.stop()
    b = await messagingPeer(dirs[1].path, { network: networks[1] })
    assert.deepEqual(
      (await b.messages.texts({ limit: 10 })).texts.map(t => t.text),
      [0, 1, 2, 3, 4].map(i => `text ${i}`)
    )
    await a.stop()
    await b.stop()
    for (const n of networks) await n.stop()
    for (const d of dirs) d.clean()
  })

  it('goes when the device is revoked', async () => {
    const dirs = [tempDir()] as const
    const a = await messagingPeer(dirs[0].path)
    const away = '12D3KooWAway' as never
    const id = await a.messages.sendText(away, 'too late')
    const settled = a.messages.settled(id, WAIT_MS)
    await a.messages.forget(away)
    assert.equal(await settled, 'cancelled')
    await a.stop()
    dirs[0].clean()
  })

  it('is bounded for each device', async () => {
    const dir = tempDir()
    const a = await messagingPeer(dir.path)
    const away = '12D3KooWAway' as never
    const all = Array.from({ length: messagingLimits.MAX_OUTBOX_MESSAGES }, (_, i) => a.messages.post(away, 'note', i))
    await Promise.all(all)
    await assert.rejects(a.messages.post(away, 'note', 'one more'), { code: 'OUTBOX_FULL' })
    await a.messages.post('12D3KooWOther' as never, 'note', 'for another')
    await a.stop()
    dir.clean()
  })

  it('gives up what waited too long', async () => {
    const dir = tempDir()
    let a = await messagingPeer(dir.path)
    const id = await a.messages.post('12D3KooWAway' as never, 'text', { text: 'soon' }, { lifetimeMs: 0 })
    await a.stop()
    a = await messagingPeer(dir.path)
    assert.equal((await a.messages.texts({ limit: 1 })).texts[0]?.state, 'expired')
    assert.equal((await a.messages.texts({ limit: 1 })).texts[0]?.id, id)
    await a.stop()
    dir.clean()
  })
})
