import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Device, DeviceState } from '../../../node/devices/index.js'
import {
  MAX_ADDRESSES_PER_DEVICE,
  parseName,
  resolveDevice,
  UNCONFIRMED_LIFETIME_MS
} from '../../../node/devices/index.js'
import { cleanName, type DeviceId, MAX_NAME_GRAPHEMES, MAX_SHOWN_NAME_BYTES } from '../../../storage/base/index.js'
import { type ManualClock, manualClock } from '../../manual-clock.js'
import { stopPeers, type TestPeer, testPeer } from '../../peers.js'

const idOf = (text: string): DeviceId => `12D3KooW${text.padEnd(44, 'x')}` as DeviceId
const facts = (name: string) => ({
  name,
  os: 'linux',
  model: '',
  version: '1',
  capabilities: [],
  starts: 1,
  run: '00'
})

describe('device names', () => {
  it('are cleaned of escapes, controls, direction marks and line ends, and cut to 64 graphemes', () => {
    assert.equal(cleanName('\u001b[31mred\u202e\u0007\nbox\r'), '[31mred box')
    assert.equal(cleanName('  two   words '), 'two words')
    const family = '👨‍👩‍👧‍👦'
    assert.equal(cleanName(family.repeat(2)), family.repeat(2))
    assert.equal([...new Intl.Segmenter().segment(cleanName('é'.repeat(100)))].length, MAX_NAME_GRAPHEMES)
    assert.ok(Buffer.byteLength(cleanName(`a${'\u0301'.repeat(1_000_000)}`)) <= MAX_SHOWN_NAME_BYTES)
    assert.equal(cleanName('a \u200b b'), 'a b')
  })
  it('whatever comes, what is shown has no control character, and cleaning again changes nothing', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), text => {
        const clean = cleanName(text)
        assert.doesNotMatch(clean, /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u)
        assert.equal(cleanName(clean), clean)
      })
    )
  })
  it('that a person gives are refused rather than changed', () => {
    assert.equal(parseName('Büro'), 'Büro')
    for (const bad of ['', '   ', 'a\nb', 'x'.repeat(65), '\u001b[1m']) {
      assert.throws(() => parseName(bad), { code: 'BAD_NAME' })
    }
  })
})

describe('DEVICE of the command line', () => {
  const device = (id: string, name: string, state: DeviceState = 'paired'): Device =>
    ({ id: idOf(id), name, ownName: name, state }) as Device
  const list = [
    device('aaaa', 'laptop'),
    device('aabb', 'desk'),
    device('cccc', 'desk'),
    device('dddd', 'laptop', 'revoked'),
    device('eeee', 'gone', 'forgotten')
  ]
  it('is an id, a prefix of 8 letters or more, or a name', () => {
    assert.equal(resolveDevice(idOf('cccc'), list).id, idOf('cccc'))
    assert.equal(resolveDevice('12D3KooWcc', list).id, idOf('cccc'))
    assert.equal(resolveDevice('laptop', list).id, idOf('aaaa'), 'the tombstone of that name is not meant')
  })
  it('one that fits two is refused with both ids', () => {
    for (const text of ['desk', '12D3KooWaa']) {
      assert.throws(() => resolveDevice(text, list), { code: 'AMBIGUOUS_DEVICE', message: /12D3KooW.*12D3KooW/ })
    }
  })
  it('others are unknown', () => {
    for (const text of ['', 'none', '12D3Koo', 'gone']) {
      assert.throws(() => resolveDevice(text, list), { code: 'UNKNOWN_DEVICE' })
    }
  })
})

describe('the registry', () => {
  let peer: TestPeer
  let clock: ManualClock
  const other = idOf('other')
  const save = (epoch = 1, keepGrants = true): Promise<void> =>
    peer.devices.paired.savePaired({
      device: other,
      name: '\u001b[1mother',
      os: 'linux',
      model: '',
      pairRoot: new Uint8Array(32).fill(epoch),
      epoch,
      unconfirmed: true,
      keepGrants
    })
  beforeEach(async () => {
    clock = manualClock()
    peer = await testPeer({ name: 'ada', clock })
  })
  afterEach(() => stopPeers([peer]))

  it('a pairing makes an unconfirmed device; a hello makes it a paired one, also after a restart', async () => {
    await save()
    assert.equal(peer.devices.find(other)?.state, 'unconfirmed')
    assert.equal(peer.devices.find(other)?.name, '[1mother')
    assert.equal(peer.devices.isPaired(other), false)
    await peer.devices.helloProven(other, 1, facts('other'))
    peer = await peer.restart()
    assert.equal(peer.devices.isPaired(other), true)
    assert.deepEqual(peer.devices.secretsOf(other)[0]?.root, new Uint8Array(32).fill(1))
  })

  it('pair secrets are not in the database as they are', async () => {
    await save(7)
    const rows = peer.instance.all<{ sealed: Uint8Array }>('SELECT sealed FROM pair_secrets')
    assert.equal(rows.length, 1)
    assert.equal(Buffer.from(rows[0]!.sealed).includes(Buffer.alloc(32, 7)), false)
  })

  it('an unconfirmed device lapses after 24 hours', async () => {
    await save()
    await clock.advance(UNCONFIRMED_LIFETIME_MS - 1)
    await peer.devices.lapse()
    assert.equal(peer.devices.find(other)?.state, 'unconfirmed')
    assert.equal(peer.devices.secretsOf(other).length, 1)
    await clock.advance(1)
    assert.equal(peer.devices.secretsOf(other).length, 0, 'not even before it is cleared away')
    await peer.devices.lapse()
    assert.equal(peer.devices.find(other)?.state, 'forgotten')
  })

  it('an unconfirmed new pairing of a paired device lapses back to the old secret', async () => {
    await save()
    await peer.devices.helloProven(other, 1, facts('other'))
    await save(2)
    await clock.advance(UNCONFIRMED_LIFETIME_MS)
    await peer.devices.lapse()
    assert.equal(peer.devices.isPaired(other), true)
    assert.deepEqual(
      peer.devices.secretsOf(other).map(s => s.epoch),
      [1]
    )
  })

  it('a revoked device that pairs again and lapses is revoked again', async () => {
    await save()
    await peer.devices.revoke(other)
    await save(2)
    assert.equal(peer.devices.find(other)?.state, 'unconfirmed')
    await clock.advance(UNCONFIRMED_LIFETIME_MS)
    await peer.devices.lapse()
    assert.equal(peer.devices.find(other)?.state, 'revoked')
  })

  it('revoking: not paired, then cut, then the tombstone, then cleaned; in that order', async () => {
    await save()
    await peer.devices.helloProven(other, 1, facts('other'))
    const order: string[] = []
    peer.devices.onRevoke({
      cut: device => order.push(`cut ${peer.devices.isPaired(device)}`),
      async clean(device) {
        const row = peer.instance.get<{ state: string }>('SELECT state FROM devices WHERE device = ?', [device])
        order.push(`clean ${row?.state}`)
      }
    })
    peer.events.on('device:revoked', () => order.push('event'))
    await peer.devices.revoke(other)
    assert.deepEqual(order, ['cut false', 'clean revoked', 'event'])
    assert.equal(peer.instance.all('SELECT 1 FROM pair_secrets').length, 0)
    await assert.rejects(peer.devices.helloProven(other, 1, facts('other')), { code: 'NOT_PAIRED' })
  })

  it('a name given here stays, whatever the device calls itself; without it, its own counts', async () => {
    await save()
    await peer.devices.rename(other, 'mine')
    await peer.devices.helloProven(other, 1, facts('theirs'))
    assert.equal(peer.devices.nameOf(other), 'mine')
    await peer.devices.rename(other, null)
    assert.equal(peer.devices.nameOf(other), 'theirs')
    await assert.rejects(peer.devices.rename(other, 'a\nb'), { code: 'BAD_NAME' })
  })

  it('this device cannot be paired with itself', async () => {
    await assert.rejects(
      peer.devices.paired.savePaired({
        device: peer.id,
        name: 'x',
        os: '',
        model: '',
        pairRoot: new Uint8Array(32),
        epoch: 1,
        unconfirmed: true,
        keepGrants: true
      }),
      { code: 'SELF_PAIRING' }
    )
  })

  it(`of addresses the ${MAX_ADDRESSES_PER_DEVICE} that were good or told last stay, the last good first`, async () => {
    await save()
    for (let n = 0; n < 30; n++) {
      await clock.advance(1_000)
      await peer.devices.saveAddresses(other, [`/ip4/10.0.0.${n}/tcp/1`], n === 20)
    }
    const kept = peer.devices.addressesOf(other)
    assert.equal(kept.length, MAX_ADDRESSES_PER_DEVICE)
    assert.equal(kept[0]?.address, '/ip4/10.0.0.20/tcp/1')
  })
})
