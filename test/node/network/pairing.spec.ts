import assert from 'node:assert/strict'
import { type Pairing, pairing } from '../../../protocols/pairing/index.js'
import { systemClock, systemRandom } from '../../../storage/base/index.js'
import { nextEvent, stopPeers, type TestPeer, testPeer } from '../../peers.js'

/** The pairing of protocols/pairing over the real network, gater and registry: who was a stranger ends as a session. */
describe('pairing over the real network', () => {
  const services: Pairing[] = []
  let a: TestPeer
  let b: TestPeer
  const pairingOf = async (peer: TestPeer): Promise<Pairing> => {
    const service = pairing({
      network: peer.network.pairing,
      devices: peer.devices.paired,
      database: peer.instance,
      clock: systemClock,
      random: systemRandom,
      events: peer.events,
      log: peer.log,
      info: () => ({ name: peer.self.name, os: peer.self.os, model: peer.self.model })
    })
    peer.network.setPairingGate(service)
    await service.start()
    services.push(service)
    return service
  }
  beforeEach(async () => {
    a = await testPeer({ name: 'ada' })
    b = await testPeer({ name: 'bob' })
  })
  afterEach(async () => {
    await Promise.all(services.splice(0).map(s => s.stop()))
    await stopPeers([a, b])
  })

  async function pair(shows: Pairing, types: Pairing): Promise<void> {
    const code = await shows.open({ autoAccept: true })
    const joined = types.join(code.words, { addresses: a.network.status().listening })
    await Promise.all([code.outcome, joined.outcome])
  }

  it('by address: both become paired by the hello that follows on the same connection', async () => {
    const [first, second] = [await pairingOf(a), await pairingOf(b)]
    const connected = Promise.all([nextEvent(a, 'device:connected'), nextEvent(b, 'device:connected')])
    await pair(first, second)
    await connected
    assert.equal(a.devices.isPaired(b.id), true)
    assert.equal(b.devices.isPaired(a.id), true)
    assert.equal(a.devices.find(b.id)?.epoch, 1)
    assert.equal(a.network.status().connections.length, 1)
  })

  it('again, with a device that is paired and connected: the next epoch is proven, and the older goes', async () => {
    const [first, second] = [await pairingOf(a), await pairingOf(b)]
    const connected = Promise.all([nextEvent(a, 'device:connected'), nextEvent(b, 'device:connected')])
    await pair(first, second)
    await connected
    await pair(first, second)
    const settled = (peer: TestPeer, other: TestPeer): boolean => {
      const secrets = peer.devices.secretsOf(other.id)
      return secrets.length === 1 && secrets[0]!.epoch === 2 && secrets[0]!.confirmed
    }
    while (!settled(a, b) || !settled(b, a)) await systemClock.sleep(10)
  })

  it('a revoked device comes back by a new pairing alone', async () => {
    const [first, second] = [await pairingOf(a), await pairingOf(b)]
    const connected = Promise.all([nextEvent(a, 'device:connected'), nextEvent(b, 'device:connected')])
    await pair(first, second)
    await connected
    await a.devices.revoke(b.id)
    assert.equal(a.devices.isPaired(b.id), false)
    const back = nextEvent(a, 'device:connected')
    await pair(first, second)
    await back
    assert.equal(a.devices.isPaired(b.id), true)
    assert.equal(a.devices.find(b.id)?.epoch, 2)
  })

  it('its own address is said to be that', async () => {
    await pairingOf(a)
    const own = a.network.status().listening
    await assert.rejects(a.network.pairing.dial({ addresses: own }, {}), { code: 'SELF_DIAL' })
  })

  it('with the network off there is no identity to pair with', async () => {
    await a.network.stop()
    assert.equal(a.network.pairing.identity, undefined)
    await assert.rejects(a.network.pairing.dial({ addresses: [] }, {}), { code: 'NETWORK_OFF' })
  })
})
