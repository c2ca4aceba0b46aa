import assert from 'node:assert/strict'
import { frameStream, type PeerSession } from '../../../protocols/wire/index.js'
import { nextEvent, stopPeers, type TestPeer, testPeers } from '../../peers.js'

const ECHO = '/test/echo/1.0.0'

describe('two paired peers', () => {
  let a: TestPeer
  let b: TestPeer
  before(async () => {
    ;[a, b] = (await testPeers(2)) as [TestPeer, TestPeer]
  })
  after(() => stopPeers([a, b]))

  it('are paired on both sides after the hello', () => {
    assert.equal(a.devices.isPaired(b.id), true)
    assert.equal(b.devices.isPaired(a.id), true)
    assert.equal(a.devices.nameOf(b.id), 'bob')
  })

  it('exchange frames, and derive the same keys each way', async () => {
    let theirs: PeerSession | undefined
    await b.network.handle(ECHO, async (stream, peer) => {
      theirs = peer
      const frames = frameStream(stream, { maxFrameBytes: 1024 })
      const frame = await frames.read()
      await frames.write(frame!)
    })
    const { stream, peer } = await a.network.open(b.id, ECHO)
    const frames = frameStream(stream, { maxFrameBytes: 1024 })
    await frames.write(Buffer.from('hello'))
    assert.equal(Buffer.from((await frames.read())!).toString(), 'hello')
    await frames.closeWrite()
    const salt = Buffer.alloc(32, 7)
    assert.deepEqual(peer.deriveKey('send', salt, 'x'), theirs!.deriveKey('receive', salt, 'x'))
    assert.deepEqual(peer.deriveKey('receive', salt, 'x'), theirs!.deriveKey('send', salt, 'x'))
    assert.notDeepEqual(peer.deriveKey('send', salt, 'x'), peer.deriveKey('receive', salt, 'x'))
    assert.notDeepEqual(peer.deriveKey('send', salt, 'x'), peer.deriveKey('send', salt, 'y'))
    await b.network.unhandle(ECHO)
  })

  it('a protocol that the other does not speak', async () => {
    await assert.rejects(a.network.open(b.id, '/test/none/1.0.0'), {
      ...{ code: 'UNSUPPORTED', message: 'bob does not speak /test/none/1.0.0' }
    })
  })

  it('a restart reconnects by itself', async () => {
    const gone = nextEvent(a, 'device:disconnected')
    const back = nextEvent(a, 'device:connected')
    b = await b.restart()
    await gone
    await back
    await b.network.whenConnected(a.id)
    assert.equal(b.devices.isPaired(a.id), true)
  })

  it('a protocol that the other speaks in another version: which of the two is to be brought up to date', async () => {
    for (const protocol of ['/test/one/1.9.0', '/test/other/1.0.0', '/test/other/2.0.0'])
      await b.network.handle(protocol, async () => {})
    await a.network.stop()
    await a.network.start()
    await a.network.whenConnected(b.id)
    await assert.rejects(a.network.open(b.id, '/test/one/1.10.0'), {
      ...{ code: 'UNSUPPORTED', message: 'bob runs an older release of spacedrive: they cannot do this together' },
      hint: 'Bring spacedrive up to date on bob: /test/one is version 1.9.0 there and 1.10.0 here.'
    })
    await assert.rejects(a.network.open(b.id, '/test/other/1.1.0'), {
      message: 'bob runs a newer release of spacedrive than this device: they cannot do this together',
      hint: 'Bring spacedrive up to date on this device: /test/other is version 2.0.0 there and 1.1.0 here.'
    })
  })

  it('networking off and on again', async () => {
    const gone = nextEvent(b, 'device:disconnected')
    await a.network.stop()
    await gone
    await assert.rejects(a.network.open(b.id, ECHO), { code: 'DEVICE_AWAY' })
    const connected = Promise.all([a.network.whenConnected(b.id), b.network.whenConnected(a.id)])
    await a.network.start()
    await connected
  })

  it('revoke ends what runs, then the connection, and holds over a restart', async () => {
    const session = a.network.session(b.id)!
    const gone = nextEvent(b, 'device:disconnected')
    // It comes back by itself and may be told at any time from now on: once, while it stays so.
    const troubled = nextEvent(b, 'device:troubled')
    await a.devices.revoke(b.id)
    assert.equal((session.signal.reason as { code: string }).code, 'REVOKED')
    await gone
    assert.equal(a.network.session(b.id), undefined)
    assert.equal(a.devices.find(b.id)?.state, 'revoked')
    assert.deepEqual(a.devices.secretsOf(b.id), [])
    a = await a.restart()
    assert.equal(a.devices.find(b.id)?.state, 'revoked')
    b.network.hint(a.id, a.network.status().listening)
    assert.equal((await troubled).problem, 'does-not-know-us')
    assert.equal(a.network.session(b.id), undefined)
  })
})
