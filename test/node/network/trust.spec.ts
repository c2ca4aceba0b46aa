import assert from 'node:assert/strict'
import { maySpeak, type Standing, standingOf } from '../../../node/network/index.js'
import { HELLO_PROTOCOL } from '../../../protocols/hello/index.js'
import { PAIRING_PROTOCOL } from '../../../protocols/pairing/index.js'
import { pairDirectly, stopPeers, type TestPeer, testPeer, testPeers } from '../../peers.js'
import { isRefused, type RawPeer, rawPeer } from '../../raw-peer.js'

const OTHER = '/test/other/1.0.0'

describe('the table protocol x trust', () => {
  for (const [standing, pairing, hello, other] of [
    ['stranger', false, false, false],
    ['guest', true, false, false],
    ['unconfirmed', true, true, false],
    ['paired', true, true, true],
    ['revoked', false, false, false]
  ] as [Standing, boolean, boolean, boolean][]) {
    it(`${standing}`, () => {
      assert.deepEqual(
        [PAIRING_PROTOCOL, HELLO_PROTOCOL, OTHER].map(p => maySpeak(p, standing)),
        [pairing, hello, other]
      )
    })
  }
  it('nobody is more than a guest by an open code', () => {
    assert.equal(standingOf(undefined, true), 'guest')
    assert.equal(standingOf(undefined, false), 'stranger')
  })
})

describe('each protocol asked from each state, without a hello', () => {
  let a: TestPeer
  let open: boolean
  let served: string[]
  const opened: (TestPeer | RawPeer)[] = []
  beforeEach(async () => {
    open = false
    served = []
    a = await testPeer({ name: 'ada' })
    a.network.setPairingGate({ isOpen: () => open })
    await a.network.pairing.handle(async () => {
      served.push(PAIRING_PROTOCOL)
    })
    await a.network.handle(OTHER, async () => {
      served.push(OTHER)
    })
  })
  afterEach(async () => {
    await Promise.all(opened.splice(0).map(p => p.stop()))
    await stopPeers([a])
  })

  async function ask(raw: RawPeer, protocol: string): Promise<boolean> {
    opened.push(raw)
    try {
      const { connection } = await raw.dial(a.network.status().listening[0]!)
      return !(await isRefused(connection, protocol))
    } catch {
      return false
    }
  }
  async function known(state: 'unconfirmed' | 'revoked'): Promise<RawPeer> {
    const b = await testPeer({ name: 'bob' })
    opened.push(b)
    await pairDirectly(a, b)
    await b.network.stop()
    if (state === 'revoked') await a.devices.revoke(b.id)
    return rawPeer(b.identity.identity!.privateKey)
  }

  for (const [who, door, make] of [
    ['a stranger', false, () => rawPeer()],
    ['a guest', true, () => rawPeer()],
    ['a revoked device', false, () => known('revoked')],
    ['an unconfirmed device', false, () => known('unconfirmed')]
  ] as [string, boolean, () => Promise<RawPeer>][]) {
    it(`${who} reaches no handler but pairing's, and that only where the table says so`, async () => {
      open = door
      const raw = await make()
      await ask(raw, OTHER)
      assert.deepEqual(served, [])
      await ask(raw, PAIRING_PROTOCOL)
      const may = who === 'a guest' || who === 'an unconfirmed device'
      assert.deepEqual(served, may ? [PAIRING_PROTOCOL] : [])
    })
  }

  it('a paired device that has said hello is served', async () => {
    const [x, y] = (await testPeers(2)) as [TestPeer, TestPeer]
    opened.push(x, y)
    const reached = new Promise<void>(resolve => {
      void y.network.handle(OTHER, async () => resolve())
    })
    await x.network.open(y.id, OTHER)
    await reached
  })
})
