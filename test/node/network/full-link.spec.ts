import assert from 'node:assert/strict'
import { NEGOTIATION_TIMEOUT_MS } from '../../../node/network/limits.js'
import { type Messaging, messaging } from '../../../protocols/messaging/index.js'
import { frameStream, HEADER_TIMEOUT_MS, patientDeadline } from '../../../protocols/wire/index.js'
import { errorCode, systemClock, systemRandom } from '../../../storage/base/index.js'
import { type Cable, cable } from '../../cable.js'
import { nextEvent, pairDirectly, stopPeers, type TestPeer, testPeer } from '../../peers.js'

const ECHO = '/test/echo/1.0.0'
/** There and back takes longer than opening a stream may, and than its first frame may be waited for. */
const ONE_WAY_MS = 0.6 * Math.max(NEGOTIATION_TIMEOUT_MS, HEADER_TIMEOUT_MS)

/** What is asked waits behind what is on its way already, and so does the answer: content that goes at 16 KiB/s, say. */
describe('a link on which much is on its way', () => {
  let a: TestPeer
  let b: TestPeer
  let line: Cable
  beforeEach(async () => {
    a = await testPeer({ name: 'ada' })
    b = await testPeer({ name: 'bob' })
    await pairDirectly(a, b)
    line = await cable(Number(/tcp\/(\d+)/.exec(b.network.status().listening[0]!)![1]))
    const connected = Promise.all([a.network.whenConnected(b.id), b.network.whenConnected(a.id)])
    a.network.hint(b.id, [`/ip4/127.0.0.1/tcp/${line.port}`])
    await connected
  })
  afterEach(async () => {
    line.close()
    await stopPeers([a, b])
  })

  it('a stream is opened on it, and its first frame is waited for', async () => {
    await b.network.handle(ECHO, async (stream, peer) => {
      const frames = frameStream(stream, { maxFrameBytes: 100 })
      await frames.write((await frames.read({ timeoutMs: HEADER_TIMEOUT_MS, peer }))!)
      await frames.closeWrite()
    })
    line.delay(ONE_WAY_MS)
    const frames = frameStream((await a.network.open(b.id, ECHO)).stream, { maxFrameBytes: 100 })
    await frames.write(Buffer.from('still there?'))
    assert.equal(Buffer.from((await frames.read())!).toString(), 'still there?')
  })

  it('a message goes over it at the first try', async () => {
    let opened = 0
    const counted = (peer: TestPeer): TestPeer['network'] => ({
      ...peer.network,
      get localDevice() {
        return peer.network.localDevice
      },
      get state() {
        return peer.network.state
      },
      open(device, protocol, options) {
        if (peer === a) opened++
        return peer.network.open(device, protocol, options)
      }
    })
    const made = [a, b].map(peer =>
      messaging({
        ...{ db: peer.instance, network: counted(peer), events: peer.events, clock: peer.clock, log: peer.log },
        trust: { isPaired: () => true, nameOf: device => device },
        random: systemRandom
      })
    ) as [Messaging, Messaging]
    try {
      for (const one of made) await one.start()
      line.delay(ONE_WAY_MS)
      const [received, delivered] = [nextEvent(b, 'message:received'), nextEvent(a, 'message:delivered')]
      await made[0].sendText(b.id, 'hello')
      await received
      await delivered
      assert.equal(opened, 1)
    } finally {
      for (const one of made) await one.stop()
    }
  })
})

describe('patientDeadline', () => {
  const MS = 20
  const ending = (limit: { signal: AbortSignal }): Promise<unknown> =>
    new Promise(resolve => limit.signal.addEventListener('abort', () => resolve(limit.signal.reason)))

  it('is over when the device has answered and the time has gone by once more', async () => {
    let answer: (answered: boolean) => void = () => {}
    let ask = (): void => {}
    const asked = new Promise<void>(resolve => {
      ask = resolve
    })
    const answers = (): Promise<boolean> => {
      ask()
      return new Promise(resolve => {
        answer = resolve
      })
    }
    const limit = patientDeadline({ answers }, MS, 'a word')
    const ended = ending(limit)
    await asked
    await systemClock.sleep(5 * MS)
    assert.equal(limit.signal.aborted, false, 'while the link keeps the answer')
    answer(true)
    assert.equal(errorCode(await ended), 'TIMEOUT')
  })

  it('is over at once when the device does not answer, or nobody can be asked', async () => {
    for (const peer of [{ answers: async () => false }, {}, undefined])
      assert.equal(errorCode(await ending(patientDeadline(peer, MS, 'a word'))), 'TIMEOUT')
  })

  it('cleared, it never ends', async () => {
    const limit = patientDeadline({ answers: async () => false }, MS, 'a word')
    limit.clear()
    await systemClock.sleep(3 * MS)
    assert.equal(limit.signal.aborted, false)
  })
})
