import assert from 'node:assert/strict'
import { chmodSync, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../../storage/base/index.js'
import { type TestInstance, testInstance } from '../../cli.js'
import { type PairedDaemon, pairedDaemons } from '../../daemons.js'

interface Status {
  state: string
  device: string
  name: string
  listening: string[]
  notes: string[]
  off: { what: string; why: string }[]
}
interface Devices {
  devices: { id: string; name: string; state: string; connected: boolean }[]
}

describe('network init, start, stop, status', () => {
  let one: TestInstance
  beforeEach(() => {
    one = testInstance('one')
  })
  afterEach(() => one.clean())
  const status = (): Promise<Status> => one.json<Status>('network', 'status')
  /** The network comes up after the socket answers. */
  const when = async (state: string): Promise<Status> => {
    for (;;) {
      const now = await one.ask<Status>('network.status')
      if (now.state === state) return now
      await systemClock.sleep(20)
    }
  }

  it('init works without a daemon; the first start makes the identity where there is none', async () => {
    const made = await one.json<{ device: string; name: string }>('network', 'init', '--name', 'desk')
    assert.equal(made.name, 'desk')
    await one.ok('start', '--enable-networking', '--loopback')
    const now = await when('on')
    assert.equal(now.device, made.device)
    assert.equal(now.name, 'desk')
    assert.match(now.listening[0]!, /^\/ip4\/127\.0\.0\.1\/tcp\/\d+\/p2p\/12D3KooW/)
    assert.deepEqual(
      now.off.map(o => o.what),
      ['mdns', 'dht']
    )
  })

  it('off and on at run time is remembered, and so is the port', async () => {
    // An address of this test alone: on 127.0.0.1 another one may be given the port while nobody listens there.
    const own = process.platform === 'linux' ? `127.1.${(process.pid >> 8) & 255}.${process.pid & 255}` : '127.0.0.1'
    await one.ok('config', 'set', 'network.listen', `/ip4/${own}/tcp/0`)
    for (const way of ['mdns', 'dht']) await one.ok('config', 'set', `network.${way}`, 'off')
    await one.ok('start', '--enable-networking')
    const before = await when('on')
    assert.ok(before.listening[0]!.startsWith(`/ip4/${own}/tcp/`), before.listening[0])
    await one.ok('network', 'stop')
    assert.equal((await status()).state, 'off')
    await one.ok('restart')
    assert.equal((await status()).state, 'off')
    await one.ok('network', 'start')
    await one.ok('restart')
    assert.deepEqual((await when('on')).listening, before.listening)
  })

  it('a sealed key: local work runs, the network says locked, the password comes from a file', async () => {
    const file = join(one.dataDir, '..', 'password')
    writeFileSync(file, 'correct horse\n')
    await one.ok('network', 'init', '--password-file', file)
    await one.ok('start', '--enable-networking', '--loopback')
    assert.match((await when('locked')).off[0]!.why, /locked/)
    assert.equal((await one.json<Devices>('network', 'devices')).devices.length, 0)
    const wrong = await one.run('network', 'start', '--password', { env: { SPACEDRIVE_PASSWORD: 'wrong' } })
    assert.equal(wrong.code, 1)
    assert.match(wrong.stderr, /password does not open/)
    assert.equal((await status()).state, 'locked')
    await one.ok('network', 'start', '--password-file', file)
    assert.equal((await status()).state, 'on')
    await one.ok('restart', '--password-file', file)
    await when('on')
  })

  it('--password takes no value, and nobody to ask is said', async () => {
    const { code, stderr } = await one.run('network', 'init', '--password')
    assert.equal(code, 2)
    assert.match(stderr, /nobody is there to answer/)
  })

  it('a key that others can read: the daemon runs, the network does not, the cure is named', async () => {
    await one.ok('network', 'init')
    chmodSync(join(one.dataDir, 'identity.key'), 0o644)
    await one.ok('start', '--enable-networking', '--loopback')
    assert.match((await when('failed')).notes.join(), /can be read or changed by others/)
    const start = await one.run('network', 'start')
    assert.match(start.stderr, /chmod 600/)
    chmodSync(join(one.dataDir, 'identity.key'), 0o600)
  })

  it('an address that cannot be listened on is said, with why', async () => {
    await one.ok('start', '--enable-networking', '--listen', '/ip4/203.0.113.7/tcp/0', '--no-mdns')
    assert.match((await when('failed')).notes.join(), /203\.0\.113\.7.*EADDRNOTAVAIL/)
  })
})

describe('network devices, rename, revoke', () => {
  let ada: PairedDaemon
  let bob: PairedDaemon
  let clean: () => Promise<void>
  before(async () => {
    const made = await pairedDaemons('ada', 'bob')
    ;[ada, bob] = made.daemons as [PairedDaemon, PairedDaemon]
    clean = made.clean
    await ada.ok('start', '--enable-networking', '--loopback')
    await bob.up(ada)
  })
  after(() => clean())
  const devices = async (of: PairedDaemon): Promise<Devices['devices']> =>
    (await of.ask<Devices>('network.devices')).devices

  it('shows the paired device, connected', async () => {
    const [device] = await devices(bob)
    assert.deepEqual([device?.id, device?.name, device?.state, device?.connected], [ada.id, 'ada', 'paired', true])
  })

  it('a device is renamed here alone; this device everywhere', async () => {
    await bob.ok('network', 'rename', 'ada', 'my desk')
    assert.equal((await devices(bob))[0]?.name, 'my desk')
    const renamed = await ada.listen('device:renamed')
    await bob.ok('network', 'rename', 'this', 'robert')
    assert.equal((await renamed.next()).name, 'robert')
    assert.equal((await devices(ada))[0]?.name, 'robert')
    const bad = await bob.run('network', 'rename', 'this', 'two\nlines')
    assert.equal(bad.code, 2)
  })

  it('an unknown device ends with 6', async () => {
    for (const words of [
      ['network', 'revoke', 'nobody'],
      ['network', 'rename', 'nobody', 'x']
    ]) {
      assert.equal((await ada.run(...words)).code, 6)
    }
  })

  it('a new identity says first what is lost', async () => {
    const { code, stderr } = await ada.run('network', 'init', '--new-identity')
    assert.equal(code, 2)
    assert.match(stderr, /robert.*paired again/s)
    assert.equal((await ada.json<Status>('network', 'status')).device, ada.id)
  })

  it('revoked: cut off, refused, and told on the other side when it tries again', async () => {
    const troubled = await bob.listen('device:troubled')
    await ada.ok('network', 'revoke', 'robert')
    assert.equal((await devices(ada))[0]?.state, 'revoked')
    assert.equal((await troubled.next()).problem, 'does-not-know-us')
    assert.equal((await devices(bob))[0]?.connected, false)
    assert.equal((await ada.run('network', 'revoke', 'robert')).code, 6)
  })

  it('a new identity, confirmed: another device, the old key kept', async () => {
    const made = await bob.json<{ device: string; made: boolean }>('network', 'init', '--new-identity', '--yes')
    assert.equal(made.made, true)
    assert.notEqual(made.device, bob.id)
    assert.deepEqual(await devices(bob), [])
    assert.equal(existsSync(join(bob.dataDir, 'backups')), true)
    assert.equal((await bob.json<Status>('network', 'status')).device, made.device)
  })
})
