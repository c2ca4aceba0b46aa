import assert from 'node:assert/strict'
import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { frameStream } from '../../../protocols/wire/index.js'
import { systemClock } from '../../../storage/base/index.js'
import { connectPeers, nextEvent, pairDirectly, stopPeers, type TestPeer, testPeer, testPeers } from '../../peers.js'
import { tempDir } from '../../temp.js'

const ECHO = '/test/echo/1.0.0'
const started: TestPeer[] = []
const keep = (peer: TestPeer): TestPeer => {
  started.push(peer)
  return peer
}

describe('pairs that are not in order', () => {
  afterEach(() => stopPeers(started.splice(0)))

  it('different secrets: both say that the keys differ, nothing is served', async () => {
    const a = keep(await testPeer({ name: 'ada' }))
    const b = keep(await testPeer({ name: 'bob' }))
    await pairDirectly(a, b)
    const pair = {
      device: b.id,
      name: 'bob',
      os: '',
      model: '',
      epoch: 2,
      unconfirmed: true,
      keepGrants: true
    } as const
    await a.devices.paired.savePaired({ ...pair, pairRoot: new Uint8Array(32).fill(1) })
    await b.devices.paired.savePaired({ ...pair, device: a.id, pairRoot: new Uint8Array(32).fill(2) })
    const both = Promise.all([nextEvent(a, 'device:troubled'), nextEvent(b, 'device:troubled')])
    a.network.hint(b.id, b.network.status().listening)
    const problems = (await both).map(e => e.problem)
    assert.deepEqual(problems, ['keys-differ', 'keys-differ'])
    assert.equal(a.network.session(b.id), undefined)
    assert.equal(b.devices.isPaired(a.id), false)
  })

  it('paired again, but one side has only the older secret: that is used until the newer is proven', async () => {
    const [a, b] = (await testPeers(2)).map(keep) as [TestPeer, TestPeer]
    const again = {
      device: b.id,
      name: 'bob',
      os: '',
      model: '',
      epoch: 2,
      unconfirmed: true,
      keepGrants: true
    } as const
    await a.devices.paired.savePaired({ ...again, pairRoot: new Uint8Array(32).fill(1) })
    assert.deepEqual(
      a.devices.secretsOf(b.id).map(s => [s.epoch, s.confirmed]),
      [
        [2, false],
        [1, true]
      ]
    )
    const back = nextEvent(a, 'device:connected')
    await b.network.stop()
    await b.network.start()
    await back
    assert.equal(a.devices.isPaired(b.id), true)
    // Now the other side gets the newer one too: its hello proves it, and the older goes.
    await b.devices.paired.savePaired({ ...again, device: a.id, pairRoot: new Uint8Array(32).fill(1) })
    const proven = nextEvent(a, 'device:connected')
    await b.network.stop()
    await b.network.start()
    await proven
    assert.deepEqual(
      a.devices.secretsOf(b.id).map(s => [s.epoch, s.confirmed]),
      [[2, true]]
    )
  })

  it('an epoch that was used before is refused, also for a revoked device', async () => {
    const a = keep(await testPeer({ name: 'ada' }))
    const b = keep(await testPeer({ name: 'bob' }))
    await pairDirectly(a, b, { epoch: 3 })
    await assert.rejects(pairDirectly(a, b, { epoch: 3 }), { code: 'EPOCH_TOO_OLD' })
    await a.devices.revoke(b.id)
    assert.equal(a.devices.paired.find(b.id)?.epoch, 3)
    await assert.rejects(pairDirectly(a, b, { epoch: 2 }), { code: 'EPOCH_TOO_OLD' })
  })

  it('both dial at once: one session stays on both sides, and no stream is lost', async () => {
    const a = keep(await testPeer({ name: 'ada' }))
    const b = keep(await testPeer({ name: 'bob' }))
    await pairDirectly(a, b)
    for (const peer of [a, b]) {
      await peer.network.handle(ECHO, async stream => {
        const frames = frameStream(stream, { maxFrameBytes: 1024 })
        for (let f = await frames.read(); f !== undefined; f = await frames.read()) await frames.write(f)
      })
    }
    const echoes = async (here: TestPeer, there: TestPeer): Promise<void> => {
      await here.network.whenConnected(there.id)
      const { stream } = await here.network.open(there.id, ECHO)
      const frames = frameStream(stream, { maxFrameBytes: 1024 })
      for (let i = 0; i < 200; i++) {
        await frames.write(Buffer.from(`${i}`))
        assert.equal(Buffer.from((await frames.read())!).toString(), `${i}`)
      }
      await frames.closeWrite()
    }
    const all = Promise.all([echoes(a, b), echoes(b, a), echoes(a, b), echoes(b, a)])
    a.network.hint(b.id, b.network.status().listening)
    b.network.hint(a.id, a.network.status().listening)
    await all
    // What is left is the one both agree on.
    const agree = (): boolean => {
      const [x, y] = [a.network.status().connections, b.network.status().connections]
      return x.length === 1 && y.length === 1 && x[0]!.direction !== y[0]!.direction
    }
    while (!agree()) await systemClock.sleep(10)
  })

  it('one identity that runs twice: the second is refused, and all three say so', async () => {
    const [a, b] = (await testPeers(2)) as [TestPeer, TestPeer]
    await b.stop()
    const copy = tempDir()
    rmSync(join(copy.path), { recursive: true })
    cpSync(b.dir, copy.path, { recursive: true })
    keep(a)
    const first = keep(await b.restart())
    await Promise.all([first.network.whenConnected(a.id), a.network.whenConnected(b.id)])
    const troubled = nextEvent(a, 'device:troubled')
    const second = keep(await testPeer({ name: 'twin', dir: copy, config: { listen: ['/ip4/127.0.0.1/tcp/0'] } }))
    assert.equal((await troubled).problem, 'runs-twice')
    const told = (peer: TestPeer): boolean => peer.network.status().notes.some(n => n.includes('runs twice'))
    while (!told(first) || !told(second)) await systemClock.sleep(10)
    assert.equal(second.network.session(a.id), undefined)
    assert.notEqual(first.network.session(a.id), undefined)
  })

  it('a locked identity: devices are known, the network says locked, the password opens it', async () => {
    const [a, b] = (await testPeers(2)).map(keep) as [TestPeer, TestPeer]
    await a.identity.setPassword('correct horse')
    await a.stop()
    const locked = keep(await testPeer({ name: 'ada', dir: { path: a.dir, clean: a.clean }, off: true }))
    assert.equal(locked.identity.state(), 'locked')
    await assert.rejects(locked.network.start(), { code: 'LOCKED_IDENTITY' })
    assert.equal(locked.network.state, 'locked')
    assert.equal(locked.devices.nameOf(b.id), 'bob')
    assert.equal(locked.network.localDevice, locked.identity.device)
    await assert.rejects(locked.identity.unlock('wrong'), { code: 'WRONG_PASSWORD' })
    await locked.identity.unlock('correct horse')
    await locked.network.start()
    await connectPeers(locked, b)
  })

  it('lost halves: the key without its database is itself but knows nobody', async () => {
    const [a, b] = (await testPeers(2)).map(keep) as [TestPeer, TestPeer]
    const { id } = a
    await a.stop()
    for (const end of ['', '-wal', '-shm']) rmSync(join(a.dir, `instance.db${end}`), { force: true })
    const troubled = nextEvent(b, 'device:troubled')
    const dir = { path: a.dir, clean: a.clean }
    await assert.rejects(testPeer({ name: 'ada', dir }), { code: 'DATABASE_LOST' })
    const again = keep(await testPeer({ name: 'ada', dir, newDatabase: true }))
    assert.equal(again.id, id)
    assert.deepEqual(again.devices.list(), [])
    b.network.hint(id, again.network.status().listening)
    assert.equal((await troubled).problem, 'does-not-know-us')
  })

  it('lost halves: the database without its key, or with another, does not start and makes nothing anew', async () => {
    const a = keep(await testPeer({ name: 'ada' }))
    const other = keep(await testPeer({ name: 'eve' }))
    await a.stop()
    rmSync(join(a.dir, 'identity.key'))
    const lost = await testPeer({ dir: { path: a.dir, clean: a.clean }, off: true })
    await assert.rejects(lost.network.start(), { code: 'IDENTITY_LOST' })
    assert.equal(lost.network.state, 'failed')
    assert.equal(lost.identity.state(), 'none')
    await lost.stop()
    cpSync(join(other.dir, 'identity.key'), join(a.dir, 'identity.key'))
    const mixed = keep(await testPeer({ dir: { path: a.dir, clean: a.clean }, off: true }))
    await assert.rejects(mixed.network.start(), { code: 'IDENTITY_MISMATCH' })
  })
})
