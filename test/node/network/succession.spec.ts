import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { Stream } from '@libp2p/interface'
import { sessionOf } from '../../../node/network/links.js'
import { type Running, startRunning } from '../../../node/network/running.js'
import type { Session } from '../../../node/network/session.js'
import { type FrameStream, frameStream } from '../../../protocols/wire/index.js'
import { errorCode, SpacedriveError, systemClock, systemRandom } from '../../../storage/base/index.js'
import { type Cable, cable } from '../../cable.js'
import { pairDirectly, stopPeers, type TestPeer, testPeer } from '../../peers.js'

const ECHO = '/test/echo/1.0.0'
const LAST_WORD = '/test/last-word/1.0.0'
const MAX_FRAME_BYTES = 1024 * 1024

/** The connections of a peer, without the loop that dials: the test does. `onInfo` is called before it tells of itself. */
function connections(peer: TestPeer, onSession: () => void, onInfo: () => void): Promise<Running> {
  const { devices, self, clock, events, log } = peer
  return startRunning({
    identity: peer.identity.identity!,
    devices,
    self,
    listen: ['/ip4/127.0.0.1/tcp/0'],
    clock,
    random: systemRandom,
    events,
    log,
    upgradeTimeoutMs: undefined,
    isDoorOpen: () => false,
    capabilities() {
      onInfo()
      return []
    },
    search: () => {},
    onConnected: onSession,
    onDisconnected: () => {}
  })
}

async function echo(stream: Stream): Promise<void> {
  const frames = frameStream(stream, { maxFrameBytes: MAX_FRAME_BYTES })
  for (let f = await frames.read(); f !== undefined; f = await frames.read()) await frames.write(f)
  await frames.closeWrite()
}

const ended = (session: Session): Promise<void> =>
  new Promise(resolve => {
    if (session.signal.aborted) resolve()
    session.signal.addEventListener('abort', () => resolve())
  })

describe('two connections that one device dialled, and the ends see them in another order', () => {
  let peers: TestPeer[]
  let a: Running
  let b: Running
  let lines: Cable[]
  let atB: Promise<unknown>
  let first: Session
  let second: Session

  beforeEach(async () => {
    const [ada, bob] = [await testPeer({ name: 'ada', off: true }), await testPeer({ name: 'bob', off: true })]
    peers = [ada, bob]
    for (const peer of peers) await peer.network.start()
    await pairDirectly(ada, bob)
    for (const peer of peers) await peer.network.stop()
    let told = (): void => {}
    atB = new Promise<void>(resolve => {
      told = resolve
    })
    let asked = false
    a = await connections(
      ada,
      () => {},
      () => {}
    )
    // The last word of the first hello stays in the cable.
    b = await connections(bob, told, () => {
      if (!asked) lines[0]!.hold('there')
      asked = true
    })
    for (const running of [a, b]) await running.transport.handle(ECHO, echo, 64)
    const port = Number(/tcp\/(\d+)/.exec(b.transport.listening()[0]!)![1])
    lines = [await cable(port), await cable(port)]
    const [slow, fast] = lines.map(line => () => a.connect(bob.id, [`/ip4/127.0.0.1/tcp/${line.port}`]))
    const older = await slow!()
    await atB
    second = await sessionOf(a.links.find(await fast!())!)
    lines[0]!.release()
    first = await sessionOf(a.links.find(older)!)
  })
  afterEach(async () => {
    const over = new SpacedriveError('NETWORK_STOPPED', 'the test is over')
    for (const running of [a, b]) await running.stop(over)
    for (const line of lines) line.close()
    await stopPeers(peers)
  })

  const open = async (session: Session, protocol = ECHO): Promise<FrameStream> =>
    frameStream(await session.connection.newStream([protocol]), { maxFrameBytes: MAX_FRAME_BYTES })
  const answers = async (frames: FrameStream, sent: Buffer): Promise<void> => {
    await frames.write(sent)
    assert.ok(sent.equals((await frames.read())!))
  }

  it('the dialler says which stays; what runs on either is finished, and the other one closes', async () => {
    const [here, there] = [peers[1]!.id, peers[0]!.id]
    const theirs = b.links.all(there)
    assert.equal(theirs.length, 2)
    const streams = await Promise.all([first, second, ...theirs].map(session => open(session)))
    await Promise.all(streams.map(frames => answers(frames, Buffer.from('still there'))))
    assert.equal(a.links.session(here), first, 'the newer one of the dialler')

    const gone = Promise.all([ended(second), Promise.race(theirs.map(ended))])
    const last = randomBytes(64 * 1024)
    await Promise.all(
      streams.map(async frames => {
        await answers(frames, last)
        await frames.closeWrite()
        assert.equal(await frames.read(), undefined)
      })
    )
    await gone
    assert.equal(errorCode(second.signal.reason), 'RETIRED')
    assert.deepEqual(a.links.all(here), [first])
    assert.equal(b.links.all(there).length, 1)
    await answers(await open(first), last)
    await answers(await open(b.links.session(there)!), last)
  })

  it('the other one is not closed while the last bytes of a stream are on their way', async () => {
    const theirs = b.links.all(peers[0]!.id)
    const closed: Promise<unknown>[] = []
    await a.transport.handle(
      LAST_WORD,
      async stream => {
        closed.push(new Promise(resolve => stream.addEventListener('close', resolve)))
        const frames = frameStream(stream, { maxFrameBytes: MAX_FRAME_BYTES })
        assert.equal(await frames.read(), undefined)
        await frames.write(Buffer.from('the last word'))
        await frames.closeWrite()
      },
      64
    )
    const streams = await Promise.all(theirs.map(session => open(session, LAST_WORD)))
    while (!second.retired.here || !second.retired.there) await systemClock.sleep(5)
    for (const line of lines) line.hold('here')
    await Promise.all(streams.map(frames => frames.closeWrite()))
    while (closed.length < streams.length) await systemClock.sleep(5)
    await Promise.all(closed)
    await new Promise(resolve => setImmediate(resolve))
    assert.equal(second.signal.aborted, false)
    for (const line of lines) line.release()
    for (const frames of streams) assert.equal(Buffer.from((await frames.read())!).toString(), 'the last word')
    await ended(second)
  })
})
